"""Opens remote directories with fsspec, lists them, and reads ranges of their files."""

import contextlib
import datetime
import os
import re
import urllib.parse
from typing import Any, Dict, Iterator, NamedTuple, Optional, Sequence, Tuple

from ..errors import UsageError
from ..model_dir import without_pattern
from .addresses import WEB, first_protocol, is_remote, joined, local_path, without_secrets
from .own_folder import full_disk_message
from .web import bounded_client

_S3 = ("s3", "s3a")
_GOOGLE = ("gs", "gcs")
_CACHES = ("blockcache", "cached", "filecache", "simplecache")
_KNOWN = {*WEB, *_S3, *_GOOGLE, *_CACHES}
_PATIENCE = 30
"""Seconds to wait for an answer from a server."""
_PATIENCE_BY_SIX = 10
"""Seconds to wait in gcsfs, which tries each request six times."""
_LONGEST = 600
"""Seconds for one request, even if the server keeps sending."""


def file_system(named: str, cache: str) -> Tuple[Any, str]:
    """Opens the file system of a remote directory or file.

    Args:
        named: the address, as the user wrote it.
        cache: the directory for fsspec's caches (``simplecache::``), unless the user has
            configured another one. Otherwise, each run would leave a directory.

    Returns:
        The file system, and the path in it.

    Raises:
        UsageError: no installed package can read it.
    """
    protocol = first_protocol(named)
    address = protocol + named[len(protocol) :]
    try:
        import fsspec

        if protocol in WEB:  # "::" may be part of a host, and not only of a chain
            if set("?#") & set(without_pattern(named)):
                raise ValueError(
                    "the address has a ? or #, so ckptcheck cannot append file names. Give the "
                    "address of a directory, or copy the directory to this machine"
                )
            return fsspec.filesystem(protocol, **_options(protocol, cache)), address
        _verify_archive(named)
        links = {first_protocol(link) for link in named.split("::")}
        options = {link: _options(link, cache) for link in links.intersection(_KNOWN)}
        for link in links.intersection(_S3):  # fsspec caches instances by options
            fsspec.filesystem(link, **options[link]).retries = 1  # botocore repeats failed requests
        found: Tuple[Any, str] = fsspec.core.url_to_fs(address, **options)
        return found
    except ImportError as error:
        raise UsageError(
            f"MODEL_DIR {named} cannot be read: {error}. To read remote addresses, run "
            "pip install fsspec in the environment of ckptcheck, and install what fsspec needs "
            "for this kind of address (gcsfs for gs://, s3fs for s3://)"
        )
    except ValueError as error:
        raise UsageError(f"MODEL_DIR {named}: {error}")


def _verify_archive(named: str) -> None:
    """Verifies that the local end of a chain is a regular file or a directory.

    Raises:
        ValueError: it ends with something else. Opening a named pipe could block forever.
    """
    end = named.rpartition("::")[2]
    path = local_path(end)
    if is_remote(end) or not os.path.exists(path):  # the file system reports a missing file
        return
    if not (os.path.isfile(path) or os.path.isdir(path)):
        raise ValueError(f"{path} is not a regular file")


def _options(protocol: str, cache: str) -> Dict[str, Any]:
    """Returns fsspec's options for a link of a chain: time limits, and the place of a cache."""
    import fsspec.config

    if protocol in _CACHES:
        configured = fsspec.config.conf.get(protocol, {})
        return {} if "cache_storage" in configured else {"cache_storage": cache}
    if protocol in _S3:
        limits = {"connect_timeout": _PATIENCE, "read_timeout": _PATIENCE}
        with_tries = {**limits, "retries": {"max_attempts": 1}}
        return {"config_kwargs": _configured(_S3, "config_kwargs", with_tries)}
    if protocol in _GOOGLE:
        return {"requests_timeout": _timeout(_PATIENCE_BY_SIX)}
    if protocol in WEB:
        ours = {"timeout": _timeout(_PATIENCE), **bounded_client()}
        return {"client_kwargs": _configured(WEB, "client_kwargs", ours)}
    return {}


def _timeout(seconds: int) -> Any:
    import aiohttp

    return aiohttp.ClientTimeout(_LONGEST, sock_connect=seconds, sock_read=seconds)


def _configured(protocols: Sequence[str], option: str, ours: Dict[str, Any]) -> Dict[str, Any]:
    """Returns an option. The user's configuration of fsspec overrides it."""
    import fsspec.config

    found = dict(ours)
    for protocol in protocols:
        for key, value in fsspec.config.conf.get(protocol, {}).get(option, {}).items():
            both = isinstance(value, dict) and isinstance(found.get(key), dict)
            found[key] = {**found[key], **value} if both else value
    return found


@contextlib.contextmanager
def explained(place: str) -> Iterator[None]:
    """Converts the exceptions of a file system into UsageErrors about ``place``."""
    import logging

    logger = logging.getLogger("gcsfs")  # it logs its exceptions with tracebacks
    was_disabled, logger.disabled = logger.disabled, True
    try:
        yield
    except UsageError as error:
        raise UsageError(without_secrets(str(error))) from None
    except Exception as error:  # each file system has its own exceptions
        raise UsageError(without_secrets(f"{place} cannot be read: {why(error)}"))
    finally:
        logger.disabled = was_disabled


def why(error: BaseException) -> str:
    """Describes an exception. For fsspec's FileNotFoundError, it describes the cause."""
    if isinstance(error, FileNotFoundError) and error.__cause__ is not None:
        return why(error.__cause__)
    full = full_disk_message(error)
    if full:
        return full
    kind = type(error).__name__
    text = str(error) or ("the server did not answer" if "Timeout" in kind else "")
    return f"{kind}: {text}" if text else kind


class RemoteFile(NamedTuple):
    """A remote file or directory.

    Attributes:
        path: its path in the file system.
        size: its size in bytes; None if a request is needed to find out.
        modified: its modification time; 0 if it is not known.
    """

    path: str
    size: Optional[int]
    modified: float


class RemoteFolder:
    """A remote directory.

    Attributes:
        system: the file system.
        path: the path of the directory in the file system.
        url: the address of the directory as the user wrote it.
        files: its files by name; the name of a subdirectory ends with a slash.
    """

    def __init__(self, system: Any, path: str, url: str) -> None:
        self.system = system
        self.path = path
        self.url = url
        self.files: Dict[str, RemoteFile] = {}
        for entry in system.ls(path, detail=True):
            name = unquoted(system, str(entry["name"]).rstrip("/").rpartition("/")[2])
            if _is_name(name):
                key = name + "/" if entry.get("type") == "directory" else name
                self.files[key] = _remote_file(entry["name"], entry)

    def address(self, name: str) -> str:
        """Returns the address of a file in the directory."""
        return joined(self.url, name)

    def size_of(self, name: str) -> int:
        """Returns the size of a file, which may take a request.

        Raises:
            UsageError: the server does not tell the size.
        """
        file = self.files[name]
        if file.size is None:
            file = self.files[name] = _remote_file(file.path, self.system.info(file.path))
        if file.size is None:
            raise UsageError(
                f"the server does not report the size of {file.path}. Copy the small files "
                "(checkpoint, *.index, *.meta; not *.data-*) to this machine, and check the copy"
            )
        return file.size

    def read(self, name: str, offset: int, size: int) -> bytes:
        """Reads bytes of a file; returns b"" for a missing file or after the end of a file.

        Raises:
            UsageError: the bytes cannot be read, or the server sends fewer or more.
        """
        if name not in self.files:
            return b""
        with explained(self.address(name)):
            wanted = max(min(size, self.size_of(name) - offset), 0)
            if not wanted:
                return b""
            data = self._ranged(name, offset, wanted)
            if len(data) != wanted:
                came = "more than" if len(data) > wanted else f"only {len(data)} of"
                raise UsageError(
                    f"{self.address(name)} cannot be read: the server sent {came} {wanted} bytes"
                )
        return data

    def _ranged(self, name: str, offset: int, size: int) -> bytes:
        """Reads bytes before the end of an existing file.

        Raises:
            UsageError: the server does not support ranges, and would send the whole file.
        """
        file = self.files[name]
        data = bytearray()
        if not is_web(self.system):
            data += self.system.cat_file(file.path, start=offset, end=offset + size)
        elif size == file.size:
            with self.system.open(file.path, "rb", block_size=0) as stream:
                piece = b"x"
                while piece and len(data) <= size:  # notices a server that sends more
                    piece = stream.read(size + 1 - len(data))
                    data += piece
        else:
            try:
                with self.system.open(file.path, "rb", size=file.size, cache_type="none") as stream:
                    stream.seek(offset)
                    data += stream.read(size)
            except ValueError:  # fsspec would have to read the whole file
                raise UsageError(
                    f"{self.address(name)} cannot be read in parts, because the server does not "
                    "support range requests. Copy the directory to this machine"
                ) from None
        return bytes(data)


def is_web(system: Any) -> bool:
    """Whether a file system is a web server. A web server lists quoted names without sizes."""
    return "http" in system.protocol


def unquoted(system: Any, name: str) -> str:
    """Returns a file's name. HTTP servers list names that are quoted for URLs."""
    return urllib.parse.unquote(re.split("[?#]", name)[0]) if is_web(system) else name


def _is_name(name: str) -> bool:
    """Whether a name is valid for a local copy, which must be inside the temporary directory."""
    return name not in ("", ".", "..") and "\0" not in name and os.path.basename(name) == name


def _remote_file(path: str, entry: Dict[str, Any]) -> RemoteFile:
    """Returns a file from what a file system reports about it."""
    size = entry.get("size")
    return RemoteFile(path, None if size is None else int(size), _modified(entry))


def _modified(entry: Dict[str, Any]) -> float:
    for key in ("mtime", "LastModified", "last_modified", "updated", "created"):
        value = entry.get(key)
        if isinstance(value, (int, float)):
            return float(value)
        if isinstance(value, datetime.datetime):
            return value.timestamp()
    return 0.0
