"""Model_dirs on a real HTTP server, which answers requests for ranges of bytes."""

import contextlib
import functools
import gzip
import http.server
import os
import re
import shutil
import threading
from pathlib import Path
from typing import Any, ClassVar, Dict, Iterator, List

import pytest

from ckptcheck import check
from ckptcheck.checkpoint import data_scan, remote
from ckptcheck.checkpoint.remote import local_view
from ckptcheck.errors import UsageError
from ckptcheck.inspection import inspect
from ckptcheck.snapshots import snapshot
from ckptcheck.verification import verify

from ..support import FIXTURES, needs_tensorflow

SOURCE = FIXTURES / "hidden_dropout" / "tf215"
DATA = "model.ckpt-10.data-00000-of-00001"


class _Handler(http.server.SimpleHTTPRequestHandler):
    """Serves a directory, whole files and ranges, and counts what it sent of each file."""

    protocol_version = "HTTP/1.1"
    sent: ClassVar[Dict[str, int]] = {}
    ranges = True
    short: ClassVar[Dict[str, int]] = {}
    refused = ""
    hidden = ""
    wanted: ClassVar[Dict[str, str]] = {}
    asked: ClassVar[List[str]] = []
    extra = ""
    endless = ""
    packed = b""
    overflowing = ""

    def do_HEAD(self) -> None:
        if self.hidden and self.path.endswith(self.hidden):
            self.send_error(403)
        else:
            super().do_HEAD()

    def do_GET(self) -> None:
        self.asked.append(self.path)
        if any(self.headers.get(name) != value for name, value in self.wanted.items()):
            self.send_error(401)
            return
        wanted = re.match(r"bytes=(\d+)-(\d+)?$", self.headers.get("Range", ""))
        path = self.translate_path(self.path)
        if os.path.isdir(path) and self.endless == "/":
            self._send_for_ever()
            return
        if os.path.isdir(path) and self.packed:
            self._send_packed()
            return
        if os.path.isdir(path) and self.extra:
            self._list_more(path)
            return
        if os.path.isdir(path) or not os.path.exists(path):
            super().do_GET()
            return
        if self.refused and self.path.endswith(self.refused):
            self.send_error(403)
            return
        if self.endless and self.path.endswith(self.endless):
            self._send_for_ever()
            return
        data = Path(path).read_bytes()
        size = len(data)
        if wanted and self.ranges and int(wanted.group(1)) >= size:
            self.send_error(416)  # as S3 does, too
            return
        if wanted and self.ranges:
            first, last = int(wanted.group(1)), min(int(wanted.group(2) or size - 1), size - 1)
            data = data[first : last + 1]
            self.send_response(206)
            self.send_header("Content-Range", f"bytes {first}-{last}/{size}")
        else:
            self.send_response(200)
        if self.overflowing and self.path.endswith(self.overflowing):
            self.send_header("Transfer-Encoding", "chunked")
            self.end_headers()
            self._send_chunks()
            return
        data = data[: self.short.get(os.path.basename(path), len(data))]
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        name = os.path.basename(path)
        self.sent[name] = self.sent.get(name, 0) + len(data)
        self.wfile.write(data)

    def _send_for_ever(self) -> None:
        self.send_response(200)
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        self._send_chunks()

    def _send_chunks(self) -> None:
        with contextlib.suppress(OSError):  # until the client closes the connection
            while True:
                self.wfile.write(b"10000\r\n" + b"x" * 0x10000 + b"\r\n")

    def _send_packed(self) -> None:
        """Sends a compressed file, although the request does not allow it. Some servers do this."""
        self.send_response(200)
        self.send_header("Content-Encoding", "gzip")
        self.send_header("Content-Length", str(len(self.packed)))
        self.end_headers()
        with contextlib.suppress(OSError):
            self.wfile.write(self.packed)

    def _list_more(self, path: str) -> None:
        """Sends a list of a directory with a name that no file can have."""
        names = [f'<a href="/base/{name}">x</a>' for name in sorted(os.listdir(path))]
        data = "".join([*names, self.extra]).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def end_headers(self) -> None:
        if self.ranges:
            self.send_header("Accept-Ranges", "bytes")
        super().end_headers()

    def log_message(self, format: str, *args: Any) -> None:
        """Says nothing."""


@pytest.fixture
def server(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """The address of a directory ``base``, a model_dir."""
    pytest.importorskip("fsspec", reason="NOT TESTED: fsspec is not installed")
    pytest.importorskip("aiohttp", reason="NOT TESTED: aiohttp is not installed")
    shutil.copytree(str(SOURCE), str(tmp_path / "base"))
    monkeypatch.setattr(_Handler, "sent", {})
    monkeypatch.setattr(_Handler, "asked", [])
    handler = functools.partial(_Handler, directory=str(tmp_path))
    served = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
    thread = threading.Thread(target=served.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{served.server_address[1]}"
    served.shutdown()
    served.server_close()


@pytest.mark.parametrize("end", ["", "/", "/model.ckpt-10", "/model.ckpt-10.index"])
def test_inspect_reads_no_data_but_the_step(server: str, end: str) -> None:
    found = inspect(f"{server}/base{end}")
    assert found.contents.variables == inspect(str(SOURCE)).contents.variables
    assert found.contents.prefix == f"{server}/base/model.ckpt-10"
    assert [finding for finding in found.findings if finding.severity == "error"] == []
    assert _Handler.sent[DATA] == 8
    assert _Handler.sent["model.ckpt-10.meta"] == (SOURCE / "model.ckpt-10.meta").stat().st_size


def test_verify_reads_the_data_once(server: str, tmp_path: Path) -> None:
    pytest.importorskip("numpy")
    size = (SOURCE / DATA).stat().st_size
    assert verify(f"{server}/base", fail_on="error").ok
    assert size <= _Handler.sent[DATA] <= size + 8
    data = bytearray((SOURCE / DATA).read_bytes())
    data[100] ^= 1
    (tmp_path / "base" / DATA).write_bytes(bytes(data))
    assert not verify(f"{server}/base", fail_on="error").ok


def test_missing_data(server: str, tmp_path: Path) -> None:
    (tmp_path / "base" / DATA).unlink()
    assert "unreadable-checkpoint" in {f.rule for f in inspect(f"{server}/base").findings}


@pytest.mark.parametrize("latest", ["model.ckpt-10", "model.ckpt-80"])
def test_sizes_are_asked_for_where_they_matter_first(
    latest: str, server: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The list of a server has only names. The size of a file needs another request."""
    monkeypatch.setattr(remote, "_MOST_INDEXES", 3)
    for step in range(20, 90, 10):
        for path in SOURCE.glob("model.ckpt-10.*"):
            shutil.copy(str(path), str(tmp_path / "base" / path.name.replace("-10", f"-{step}")))
    (tmp_path / "base" / "checkpoint").write_text(f'model_checkpoint_path: "{latest}"\n')
    found = inspect(f"{server}/base")
    assert found.contents.prefix == f"{server}/base/{latest}"
    assert [finding for finding in found.findings if finding.severity == "error"] == []
    assert len({item.size for item in found.checkpoints}) == 1 and found.checkpoints[0].size > 9999
    steps = [item.step for item in found.checkpoints]
    assert steps == ([10, 60, 70, 80] if latest == "model.ckpt-10" else [50, 60, 70, 80])
    left_out = "model.ckpt-50, model.ckpt-40" if latest == "model.ckpt-10" else "model.ckpt-40, "
    assert found.not_judged[0].startswith(left_out)


def test_an_empty_state_file(server: str, tmp_path: Path) -> None:
    (tmp_path / "base" / "checkpoint").write_bytes(b"")
    assert [finding.rule for finding in inspect(f"{server}/base").findings] == ["no-checkpoint"]


def test_snapshot(server: str, tmp_path: Path) -> None:
    snapshot(f"{server}/base", str(tmp_path / "snap"))
    assert inspect(str(tmp_path / "snap")).contents.snapshot


@pytest.mark.parametrize("end", ["", "/model one.ckpt-10", "/model%20one.ckpt-10"])
def test_names_that_stand_otherwise_in_a_url(server: str, tmp_path: Path, end: str) -> None:
    for path in (tmp_path / "base").glob("model.ckpt-10.*"):
        path.rename(path.with_name(path.name.replace("model.", "model one.")))
    (tmp_path / "base" / "checkpoint").write_text('model_checkpoint_path: "model one.ckpt-10"\n')
    found = inspect(f"{server}/base{end}")
    assert found.contents.prefix == f"{server}/base/model one.ckpt-10"
    assert [finding for finding in found.findings if finding.severity == "error"] == []
    assert verify(f"{server}/base{end}", fail_on="error").ok


@pytest.mark.parametrize("name", ["..%2Foutside", "a%00b", "%2Ftmp%2Foutside", "below%2Fx"])
def test_a_list_with_names_that_no_file_can_have(
    name: str, server: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The names of files on the server must not decide where ckptcheck writes."""
    (tmp_path / "temporary").mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "temporary"))
    monkeypatch.setattr(_Handler, "extra", f'<a href="/base/{name}.index">x</a>')
    found = inspect(f"{server}/base")
    assert [item.step for item in found.checkpoints] == [10]
    assert list(tmp_path.rglob("*outside*")) == []


@pytest.mark.parametrize("path", ["/nothing", "/base/model.ckpt-11"])
def test_nothing_there(server: str, path: str) -> None:
    with pytest.raises(UsageError, match=server + path):
        inspect(server + path)


def test_a_server_that_knows_no_ranges(
    server: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The server would send a whole data file for each part, so ckptcheck does not try this."""
    pytest.importorskip("numpy")
    with (tmp_path / "base" / DATA).open("ab") as file:
        file.truncate(1 << 26)
    monkeypatch.setattr(_Handler, "ranges", False)
    monkeypatch.setattr(data_scan, "_BATCH", 64)
    found = inspect(f"{server}/base")
    assert found.contents.variables == inspect(str(SOURCE)).contents.variables
    (doubt,) = found.not_judged
    assert (
        "the global step in model.ckpt-10" in doubt and "does not support range requests" in doubt
    )
    with pytest.raises(UsageError, match="in parts, because the server does not support range"):
        verify(f"{server}/base")


def test_a_step_that_cannot_be_read_is_said_by_all(
    server: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """ckptcheck can read small files as a whole, but no part of a data file."""
    pytest.importorskip("numpy")
    monkeypatch.setattr(_Handler, "ranges", False)
    said = f"the global step in model.ckpt-10: {server}/base/{DATA} cannot be read in parts"
    for found in (inspect, verify, functools.partial(snapshot, out=str(tmp_path / "snap"))):
        (doubt,) = found(f"{server}/base").not_judged
        assert doubt.startswith(said)
    assert f"of this snapshot: {said}" in inspect(str(tmp_path / "snap")).not_judged[-1]


@needs_tensorflow
def test_a_step_that_cannot_be_read_is_said_by_a_check(
    server: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(_Handler, "ranges", False)
    code = FIXTURES / "hidden_dropout"
    found = check(f"{server}/base", "model:model_fn", str(code / "params.json"), app_dir=str(code))
    assert found.ok
    assert [item for item in found.not_judged if item.startswith("the global step in model.ckpt-")]


def test_data_that_is_too_short(server: str, tmp_path: Path) -> None:
    """A server refuses ranges after the end of a file."""
    pytest.importorskip("numpy")
    here = tmp_path / "base"
    os.truncate(str(here / DATA), 1000)
    local, there = (verify(place, fail_on="error") for place in (str(here), f"{server}/base"))
    assert not there.ok and there.verified[0].data == local.verified[0].data
    groups = there.verified[0].groups
    assert [f.rule for group in groups for f in group.findings] == ["unreadable-checkpoint"]


@pytest.mark.parametrize("name", ["checkpoint", "model.ckpt-10.index", "model.ckpt-10.meta"])
def test_a_file_that_does_not_end(server: str, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_Handler, "endless", name)
    with pytest.raises(UsageError, match=f"{name} cannot be read: the server sent more than"):
        inspect(f"{server}/base")


@pytest.mark.parametrize("name", ["checkpoint", "model.ckpt-10.index"])
def test_a_file_of_which_only_a_part_comes(
    server: str, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(_Handler, "short", {name: 20})
    with pytest.raises(
        UsageError, match=f"{name} cannot be read: the server sent only 20 of .* bytes"
    ):
        inspect(f"{server}/base")


def test_data_that_must_not_be_read(
    server: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An inspection needs only the global step of the data, and works without it."""
    monkeypatch.setattr(_Handler, "refused", DATA)
    found = inspect(f"{server}/base")
    assert found.ok and "the global step in model.ckpt-10" in found.not_judged[0]
    snapshot(f"{server}/base", str(tmp_path / "out"))
    assert inspect(str(tmp_path / "out")).ok


@pytest.mark.parametrize("end", ["?signature=abc", "#top"])
def test_an_address_with_more_than_a_path(server: str, end: str) -> None:
    with pytest.raises(UsageError, match=r"the address has a \? or #"):
        inspect(f"{server}/base{end}")


def test_a_server_that_is_not_there() -> None:
    pytest.importorskip("aiohttp", reason="NOT TESTED: aiohttp is not installed")
    with pytest.raises(UsageError, match=r"cannot be read|no directory"):
        inspect("http://127.0.0.1:1/base")


def test_neighbours_are_asked_for_at_once(server: str) -> None:
    pytest.importorskip("numpy")
    found = verify(f"{server}/base", fail_on="error").verified[0]
    assert found.data.tensors == 15
    assert len([path for path in _Handler.asked if path.endswith(DATA)]) == 2  # the step before all


def test_what_the_user_has_configured_counts(server: str, monkeypatch: pytest.MonkeyPatch) -> None:
    fsspec = pytest.importorskip("fsspec")
    header = {"Authorization": "Bearer x"}
    monkeypatch.setattr(_Handler, "wanted", header)
    with pytest.raises(UsageError, match="401"):
        inspect(f"{server}/base")
    monkeypatch.setitem(fsspec.config.conf, "http", {"client_kwargs": {"headers": header}})
    assert inspect(f"{server}/base").ok


@pytest.mark.parametrize("name", ["checkpoint", ".index"])
def test_a_file_that_is_refused_is_not_called_missing(
    name: str, server: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(_Handler, "hidden", name)
    monkeypatch.setattr(_Handler, "refused", name)
    with pytest.raises(UsageError) as caught:
        inspect(f"{server}/base")
    assert "403" in str(caught.value) and "FileNotFound" not in str(caught.value)


def test_data_at_which_nobody_may_look(server: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The result is the same as for a local file without permission."""
    monkeypatch.setattr(_Handler, "hidden", DATA)
    monkeypatch.setattr(_Handler, "refused", DATA)
    (found,) = [f for f in inspect(f"{server}/base").findings if f.severity == "error"]
    assert found.rule == "unreadable-checkpoint" and "403" in found.message


def test_a_graph_that_is_none_is_not_the_only_one(server: str, tmp_path: Path) -> None:
    (tmp_path / "base" / "model.ckpt-10.meta").write_bytes(b"xx")
    (tmp_path / "base" / "graph.pbtxt").write_text("node {}")
    with local_view(f"{server}/base") as place:
        assert {"model.ckpt-10.meta", "graph.pbtxt"} <= set(os.listdir(place.local))


def test_an_index_that_is_too_large(server: str, tmp_path: Path) -> None:
    os.truncate(str(tmp_path / "base" / "model.ckpt-10.index"), (1 << 28) + 1)
    for end in ("", "/model.ckpt-10"):
        with pytest.raises(UsageError, match=r"10.index is larger than 256 MiB"):
            inspect(f"{server}/base{end}")


def test_a_pattern_is_none_to_a_web_server(server: str, tmp_path: Path) -> None:
    (tmp_path / "base").rename(tmp_path / "lr[0.1]")
    assert inspect(f"{server}/lr[0.1]").ok and inspect(f"{server}/lr%5B0.1%5D").ok


def test_a_temporary_directory_that_is_a_pattern(
    server: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "t[1]").mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "t[1]"))
    with pytest.raises(
        UsageError, match=r"t\[1\] contains \[, so TensorFlow treats it as a glob pattern"
    ):
        inspect(f"{server}/base")
    assert list((tmp_path / "t[1]").iterdir()) == []


def test_a_password_is_not_printed(server: str) -> None:
    """The logs of CI keep the output."""
    address = server.replace("://", "://me:se:cret@")
    for what in (inspect, lambda named: verify(named, fail_on="error")):
        found = repr(what(f"{address}/base"))
        assert "://me:***@" in found and "cret" not in found
    with pytest.raises(UsageError) as caught:
        inspect(f"{address}/nothing")
    assert "://me:***@" in str(caught.value) and "cret" not in str(caught.value)


def test_a_password_is_not_printed_where_bytes_are_refused(
    server: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(_Handler, "refused", ".index")
    with pytest.raises(UsageError) as caught:
        inspect(server.replace("://", "://me:secret@") + "/base")
    assert "secret" not in str(caught.value)


def test_a_list_without_end(server: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_Handler, "endless", "/")
    with pytest.raises(UsageError, match="the answer has more than 32 MiB"):
        inspect(f"{server}/base")


def test_a_range_without_end(server: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The server announces the eight requested bytes, but sends more."""
    monkeypatch.setattr(_Handler, "overflowing", DATA)
    found = inspect(f"{server}/base")
    assert any("the answer has more than 32 MiB" in text for text in found.not_judged)


def test_a_small_list_that_unpacks_to_much(server: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_Handler, "packed", gzip.compress(bytes(64 << 20)))
    with pytest.raises(UsageError, match="the answer decompresses to more than 32 MiB"):
        inspect(f"{server}/base")


def test_a_list_that_is_packed(server: str, monkeypatch: pytest.MonkeyPatch) -> None:
    names = sorted(os.listdir(str(SOURCE)))
    page = "".join(f'<a href="/base/{name}">x</a>' for name in names)
    monkeypatch.setattr(_Handler, "packed", gzip.compress(page.encode()))
    assert inspect(f"{server}/base").contents.variables == inspect(str(SOURCE)).contents.variables


@pytest.mark.parametrize("text", ["<a ", "<a x", "<a" + " " * 100000, "<A\n"])
def test_a_list_in_which_no_link_ends(
    server: str, monkeypatch: pytest.MonkeyPatch, text: str
) -> None:
    """fsspec's search for links takes quadratic time for such a list."""
    monkeypatch.setattr(_Handler, "extra", text * (4000000 // len(text)))
    assert inspect(f"{server}/base").contents.variables == inspect(str(SOURCE)).contents.variables
