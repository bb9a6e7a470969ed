"""Passes on what the traced code prints."""

import codecs
import io
import sys
from typing import BinaryIO, Set

from ..sanitize import harmless_lines

_MOST = 1 << 20
_LONGEST_LINE = 1 << 16
_TAIL = 2000


class CodeOutput:
    """Passes on what the user's code and TensorFlow print to standard error, up to a limit.

    A check runs the same code several times, so a line that was shown in a check is not shown
    again. The output can contain names from checkpoints, so control characters are escaped.
    """

    def __init__(self, quiet: bool) -> None:
        self._quiet = quiet
        self._left = _MOST
        self._tail = b""
        self._line = ""
        self._shown: Set[str] = set()
        self._follows = True
        bytes_to_text = codecs.getincrementaldecoder("utf-8")("replace")
        self._decoder = io.IncrementalNewlineDecoder(bytes_to_text, translate=True)

    def begin(self) -> None:
        """Begins a check. It shows a line even if an earlier check has shown the same line."""
        self._shown = set()
        self._follows = True

    def pump(self, stream: BinaryIO) -> None:
        """Reads until the stream ends, and closes it."""
        with stream:
            for data in iter(lambda: stream.read1(1 << 16), b""):  # type: ignore[attr-defined]
                self._tail = (self._tail + data)[-_TAIL:]
                if not self._quiet:
                    self._pass_on(self._decoder.decode(data))
            last = self._decoder.decode(b"", final=True)
            if self._line + last and not self._quiet:
                self._pass_on(last + "\n")

    def tail(self) -> str:
        """The last line that was printed."""
        lines = self._tail.decode("utf-8", "replace").strip().splitlines()
        return lines[-1].strip() if lines else ""

    def _pass_on(self, text: str) -> None:
        *lines, self._line = (self._line + text).split("\n")
        if len(self._line) > _LONGEST_LINE:
            lines.append(self._line)
            self._line = ""
        shown = "".join(f"{line}\n" for line in lines if self._is_new(line))
        try:
            sys.stderr.write(harmless_lines(shown[: self._left]))
            self._left -= len(shown)
            if self._left < 0:
                sys.stderr.write("\nckptcheck: more output of the traced code is not shown\n")
                self._quiet = True
            sys.stderr.flush()
        except (OSError, ValueError):  # standard error is closed; the pipe still has to be drained
            self._quiet = True

    def _is_new(self, line: str) -> bool:
        """Whether to show a line. A line without words is shown if the line before it was."""
        if any(map(str.isalnum, line)):
            self._follows = line not in self._shown
            self._shown.add(line)
        return self._follows
