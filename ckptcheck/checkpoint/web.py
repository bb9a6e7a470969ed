"""Limits the answers of web servers. An answer may be endless, or too large after decompression."""

import re
import zlib
from typing import Any, Dict, Optional

LARGEST = 32 << 20
"""Bytes; the list of 100,000 files takes a third of this."""
_GZIP_OR_DEFLATE = 47
"""The ``wbits`` of zlib that accept both encodings."""
_SPACES = re.compile(r"\s{2,}")
_ANCHOR = re.compile(r"<(?=[aA]\s)")


def bounded_client() -> Dict[str, Any]:
    """Returns options of an aiohttp.ClientSession that limit the size of answers.

    aiohttp must not decompress answers: a small piece can become a thousand times larger.
    """
    import aiohttp

    class Response(aiohttp.ClientResponse):
        _body: Optional[bytes]

        async def read(self) -> bytes:
            if self._body is None:
                data = bytearray()
                most = max(_asked_for(self), LARGEST)
                while not self.content.at_eof():
                    data += await self.content.readany()
                    if len(data) > most:
                        self.close()
                        raise OSError(f"the answer has more than {most >> 20} MiB")
                self._body = _unpacked(bytes(data), self.headers.get("Content-Encoding", ""))
            return self._body

        async def text(self, encoding: Any = None, errors: str = "strict") -> str:
            known = encoding or self.charset or "utf-8"
            return _with_fast_links((await self.read()).decode(known, "replace"))

    return {
        "response_class": Response,
        "auto_decompress": False,
        "headers": {"Accept-Encoding": "identity"},
    }


def _asked_for(response: Any) -> int:
    """Returns the number of requested bytes of a file; 0 for a list of files."""
    found = re.fullmatch(r"bytes=(\d+)-(\d+)", response.request_info.headers.get("Range", ""))
    return int(found.group(2)) - int(found.group(1)) + 1 if found else 0


def _unpacked(data: bytes, encoding: str) -> bytes:
    if encoding.strip().lower() in ("", "identity"):
        return data
    unpacker = zlib.decompressobj(_GZIP_OR_DEFLATE)
    try:
        found = unpacker.decompress(data, LARGEST)
    except zlib.error as error:
        raise OSError(f"the answer cannot be decompressed ({encoding}): {error}") from None
    if unpacker.unconsumed_tail:
        raise OSError(f"the answer decompresses to more than {LARGEST >> 20} MiB")
    return found


def _with_fast_links(page: str) -> str:
    """Changes a page, so that fsspec finds its links in linear time.

    For unclosed tags and long runs of spaces, fsspec's regular expression takes quadratic time.
    """
    return _ANCHOR.sub("><", _SPACES.sub(" ", page))
