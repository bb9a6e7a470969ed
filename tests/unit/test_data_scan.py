"""Tests of reading all data. The checksums come from TensorFlow, in the fixtures and below."""

import errno
import math
import os
import resource
import shutil
import struct
import time
import tracemalloc
from pathlib import Path
from typing import Any, Dict, List, Tuple

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ckptcheck.checkpoint.bundle import read_bundle
from ckptcheck.checkpoint.crc32c import crc32c, extend, masked
from ckptcheck.encoding.dtypes import element_size
from ckptcheck.errors import UsageError
from ckptcheck.model_dir import TensorScan
from ckptcheck.verification import verify

from ..checkpoints import writer
from ..support import FIXTURES

np = pytest.importorskip("numpy", reason="NOT TESTED: the extra ckptcheck[deep] is not installed")

from ckptcheck.checkpoint import data_scan, tensor_stream, values  # noqa: E402 (numpy has to be there)

PREFIXES = sorted(str(path)[: -len(".index")] for path in FIXTURES.glob("*/*/*.index"))
NUMBERS = {
    "float32": 1,
    "float64": 2,
    "int32": 3,
    "uint8": 4,
    "complex64": 8,
    "bool": 10,
    "bfloat16": 14,
    "float16": 19,
}


def save(folder: Path, tensors: Dict[str, Tuple[str, Tuple[int, ...], bytes]]) -> str:
    """A checkpoint with these dtypes, shapes and bytes."""
    entries, data = {}, b""
    for name, (dtype, shape, content) in tensors.items():
        crc = masked(crc32c(content))
        entries[name.encode()] = writer.entry(
            NUMBERS[dtype], shape, 0, len(data), len(content), crc
        )
        data += content
    (folder / "c-1.index").write_bytes(writer.index(entries))
    (folder / "c-1.data-00000-of-00001").write_bytes(data)
    return str(folder / "c-1")


def scan(prefix: str, **options: Any) -> Dict[str, TensorScan]:
    return {item.variable.name: item for item in data_scan.scan(read_bundle(prefix), **options)}


@pytest.mark.parametrize("prefix", PREFIXES, ids=lambda path: os.path.relpath(path, str(FIXTURES)))
def test_fixtures_are_whole(prefix: str) -> None:
    found = scan(prefix)
    assert [item.problem for item in found.values() if item.problem] == []
    assert list(found) == [item.name for item in read_bundle(prefix).tensors]


VALUES: List[Tuple[str, bytes, int, int, Any, Any]] = [
    ("float32", struct.pack("<3f", 1, -2, 0.5), 0, 0, -2, 1),
    ("float32", struct.pack("<3f", 1, math.nan, math.inf), 1, 1, 1, 1),
    ("float32", struct.pack("<2f", math.nan, math.nan), 2, 0, None, None),
    ("float64", struct.pack("<2d", -math.inf, 7), 0, 1, 7, 7),
    ("float16", bytes.fromhex("003c007c007e"), 1, 1, 1, 1),
    ("bfloat16", bytes.fromhex("803f807fc07f80ff"), 1, 2, 1, 1),
    ("complex64", struct.pack("<4f", 1, math.nan, 3, 4), 1, 0, 1, 4),
    ("complex64", struct.pack("<4f", *[math.nan] * 4), 2, 0, None, None),
    ("complex64", struct.pack("<6f", math.nan, math.inf, math.inf, 1, 2, 3), 1, 1, 1, 3),
    ("int32", struct.pack("<2i", -5, 7), 0, 0, -5, 7),
    ("bool", b"\0\1", 0, 0, 0, 1),
]


@pytest.mark.parametrize(("dtype", "data", "nan", "infinite", "least", "most"), VALUES)
def test_values(
    dtype: str, data: bytes, nan: int, infinite: int, least: Any, most: Any, tmp_path: Path
) -> None:
    size = element_size(dtype)
    assert size is not None
    prefix = save(tmp_path, {"x": (dtype, (len(data) // size,), data)})
    found = scan(prefix)["x"]
    assert (found.problem, found.nan, found.infinite) == ("", nan, infinite)
    assert (found.least, found.most) == (least, most)


def test_every_half_and_every_bfloat16() -> None:
    """Every bit pattern that there is, against numpy's own arithmetic."""
    codes = np.arange(65536, dtype="<u2")
    halves = values.summarize(codes.tobytes(), "float16")
    assert (halves.nan, halves.infinite, halves.least, halves.most) == (2046, 2, -65504, 65504)
    brains = values.summarize(codes.tobytes(), "bfloat16")
    assert (brains.nan, brains.infinite) == (254, 2)


def test_big_endian() -> None:
    found = values.summarize(struct.pack(">2f", 1, 3), "float32", big_endian=True)
    assert (found.least, found.most) == (1, 3)


def test_tensors_without_values(tmp_path: Path) -> None:
    found = scan(save(tmp_path, {"x": ("float32", (0, 4), b"")}))["x"]
    assert (found.problem, found.least, found.constant) == ("", None, False)


def test_constants(tmp_path: Path) -> None:
    ones = struct.pack("<4f", 1, 1, 1, 1)
    found = scan(save(tmp_path, {"x": ("float32", (4,), ones)}))["x"]
    assert found.constant and found.least == 1


@pytest.mark.parametrize("workers", [1, 4])
def test_large_tensors_are_read_in_pieces(
    workers: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(data_scan, "_READ", 1024)
    monkeypatch.setattr(tensor_stream, "_READ", 1024)
    monkeypatch.setattr(data_scan, "_BATCH", 5000)
    numbers = np.arange(10000, dtype="<f4")
    numbers[7777] = math.nan
    prefix = save(
        tmp_path,
        {"a": ("uint8", (3,), b"abc"), "big": ("float32", (10000,), numbers.tobytes())},
    )
    read: List[int] = []
    found = scan(prefix, workers=workers, progress=read.append)
    assert found["big"] == TensorScan(found["big"].variable, "", 1, 0, 0, 9999)
    assert found["a"].problem == ""
    assert sum(read) == 40003
    with open(prefix + ".data-00000-of-00001", "r+b") as file:
        file.seek(20000)
        file.write(b"\xaa")
    assert scan(prefix, workers=workers)["big"].problem == "Checksum does not match"


def string_bytes(items: List[bytes]) -> bytes:
    """Returns the bytes of strings as TensorFlow stores them."""
    crc = crc32c(b"".join(struct.pack("<I", len(item)) for item in items))
    sums = struct.pack("<I", masked(crc))
    return b"".join(writer.varint(len(item)) for item in items) + sums + b"".join(items)


@given(st.lists(st.binary(max_size=300), max_size=20))
def test_strings(items: List[bytes]) -> None:
    import tempfile

    data = string_bytes(items)
    crc = crc32c(b"".join(struct.pack("<I", len(item)) for item in items))
    count = sum(len(writer.varint(len(item))) for item in items)
    crc = extend(crc, data[count:])
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        entry = writer.entry(7, (len(items),), 0, 0, len(data), masked(crc))
        (folder / "c.index").write_bytes(writer.index({b"s": entry}))
        (folder / "c.data-00000-of-00001").write_bytes(data)
        assert scan(str(folder / "c"))["s"].problem == ""
        for at in range(0, len(data), 7):
            damaged = bytearray(data)
            damaged[at] ^= 0x10
            (folder / "c.data-00000-of-00001").write_bytes(damaged)
            assert scan(str(folder / "c"))["s"].problem != ""


@pytest.mark.parametrize("number", [b"\x80" * 9 + b"\0", writer.varint(1 << 40)])
def test_strings_with_lengths_that_no_save_writes_end_soon(number: bytes, tmp_path: Path) -> None:
    data = number * 40000
    entry = writer.entry(7, (40000,), 0, 0, len(data), 1)
    (tmp_path / "c.index").write_bytes(writer.index({b"s": entry}))
    (tmp_path / "c.data-00000-of-00001").write_bytes(data)
    start = time.process_time()
    assert scan(str(tmp_path / "c"))["s"].problem != ""
    assert time.process_time() - start < 8


def test_many_strings_are_read_soon(tmp_path: Path) -> None:
    items = [b"word%d" % number for number in range(300000)] + [b"x" * 300] * 1000
    data = string_bytes(items)
    entry = writer.entry(7, (len(items),), 0, 0, len(data), 1)
    (tmp_path / "c.index").write_bytes(writer.index({b"s": entry}))
    (tmp_path / "c.data-00000-of-00001").write_bytes(data)
    start = time.process_time()
    assert scan(str(tmp_path / "c"))["s"].problem == "Checksum does not match"
    assert time.process_time() - start < 1


def test_a_scan_that_is_stopped_does_not_read_on(tmp_path: Path) -> None:
    """Ctrl-C stops a scan. Without this, the rest of a large tensor could take hours."""
    size = 1 << 40
    (tmp_path / "c.index").write_bytes(
        writer.index({b"w": writer.entry(NUMBERS["uint8"], (size,), 0, 0, size, 1)})
    )
    asked: List[int] = []

    def stop(_: int) -> None:
        raise KeyboardInterrupt

    def read(name: str, offset: int, size: int) -> bytes:
        asked.append(offset)
        return bytes(size)

    with pytest.raises(KeyboardInterrupt):
        scan(str(tmp_path / "c"), read=read, progress=stop)
    assert len(asked) == 1


def test_every_flipped_bit_of_the_data(tmp_path: Path) -> None:
    source = FIXTURES / "partitioned" / "tf215"
    shutil.copytree(str(source), str(tmp_path / "m"))
    prefix = str(tmp_path / "m" / "model.ckpt-10")
    path = Path(prefix + ".data-00000-of-00001")
    data = path.read_bytes()
    for at in range(0, len(data), 13):
        damaged = bytearray(data)
        damaged[at] ^= 1 << at % 8
        path.write_bytes(damaged)
        problems = [item for item in scan(prefix, workers=1).values() if item.problem]
        assert len(problems) == 1, at


@pytest.mark.parametrize("fault", ["missing", "short", "directory"])
def test_files_that_are_not_whole(fault: str, tmp_path: Path) -> None:
    prefix = save(tmp_path, {"x": ("float32", (2,), bytes(8)), "y": ("float32", (1,), bytes(4))})
    path = prefix + ".data-00000-of-00001"
    if fault == "short":
        os.truncate(path, 10)
        found = scan(prefix)
        assert (found["x"].problem, found["y"].problem != "") == ("", True)
        return
    os.remove(path)
    if fault == "directory":
        os.mkdir(path)
    assert all(item.problem for item in scan(prefix).values())


def test_memory_does_not_grow_with_the_data(tmp_path: Path) -> None:
    size = 64 << 20
    prefix = save(tmp_path, {"x": ("uint8", (4,), b"abcd")})
    with open(prefix + ".data-00000-of-00001", "wb") as file:
        file.truncate(size)
    entry = writer.entry(1, (size // 4,), 0, 0, size, 1)
    (tmp_path / "c-1.index").write_bytes(writer.index({b"x": entry}))
    tracemalloc.start()
    try:
        scan(prefix)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 24 << 20


class _Impatient(data_scan._Scanner):
    """A scanner that must get nothing to read. Otherwise, the scan would not end."""

    def scan_batch(self, batch: Any) -> Any:
        assert not batch
        return []


HUGE = writer.entry(3, (1 << 58,), 0, 0, 1 << 60, 1)


@pytest.mark.parametrize("there", [True, False])
def test_a_tensor_past_the_end_is_not_cut_into_pieces(
    there: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A small index can claim a tensor of 2**60 bytes."""

    (tmp_path / "c.index").write_bytes(writer.index({b"w": HUGE}))
    if there:
        (tmp_path / "c.data-00000-of-00001").write_bytes(b"1234")
    monkeypatch.setattr(data_scan, "_Scanner", _Impatient)
    says = "is too short to hold this tensor" if there else "is missing"
    assert scan(str(tmp_path / "c"))["w"].problem == f"c.data-00000-of-00001 {says}"


def test_a_tensor_past_the_end_elsewhere_ends_at_its_first_short_piece(tmp_path: Path) -> None:
    """For a remote file, the size is not known."""
    (tmp_path / "c.index").write_bytes(writer.index({b"w": HUGE}))
    asked: List[int] = []

    def read(name: str, offset: int, size: int) -> bytes:
        asked.append(offset)
        assert len(asked) < 100
        return b"1234" if offset == 0 else b""

    found = scan(str(tmp_path / "c"), read=read, workers=2)["w"]
    assert found.problem == "c.data-00000-of-00001 is too short to hold this tensor"
    assert len(asked) <= 8


def shards(folder: Path, count: int) -> str:
    content = struct.pack("<f", 1)
    entries = {
        b"w%05d" % number: writer.entry(1, (1,), number, 0, 4, masked(crc32c(content)))
        for number in range(count)
    }
    (folder / "c.index").write_bytes(writer.index(entries, count))
    for number in range(count):
        (folder / f"c.data-{number:05d}-of-{count:05d}").write_bytes(content)
    return str(folder / "c")


def test_more_data_files_than_a_process_may_open(tmp_path: Path) -> None:
    prefix = shards(tmp_path, 200)
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    now = len(os.listdir("/dev/fd"))
    resource.setrlimit(resource.RLIMIT_NOFILE, (now + 60, hard))
    try:
        found = scan(prefix)
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    assert [item.problem for item in found.values() if item.problem] == []


def test_a_process_that_may_open_nothing_finds_no_damage(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    prefix = shards(tmp_path, 3)
    bundle = read_bundle(prefix)

    def refuse(*_: Any) -> int:
        raise OSError(errno.EMFILE, os.strerror(errno.EMFILE))

    monkeypatch.setattr(os, "open", refuse)
    with pytest.raises(UsageError, match="Too many open files"):
        data_scan.scan(bundle)


def test_the_same_bytes_are_not_read_without_end(tmp_path: Path) -> None:
    """A small index could make ckptcheck read a large file for days."""
    content = b"\0" * 4096
    crc = masked(crc32c(content))
    entry = writer.entry(NUMBERS["uint8"], (4096,), 0, 0, 4096, crc)
    entries = {b"%03d" % number: entry for number in range(100)}
    (tmp_path / "c-1.index").write_bytes(writer.index(entries))
    (tmp_path / "c-1.data-00000-of-00001").write_bytes(content)
    read: List[int] = []
    found = scan(str(tmp_path / "c-1"), progress=read.append)
    assert sum(read) == 4 * 4096
    problems = [item.problem for item in found.values()]
    assert problems.count("") == 4 and all("too many" in problem for problem in problems[4:])


def test_of_two_tensors_that_overlap_the_damaged_one_is_named(tmp_path: Path) -> None:
    whole, other = struct.pack("<4f", 1, 2, 3, 4), struct.pack("<4f", 5, 6, 7, 8)
    entries = {
        b"a": writer.entry(1, (4,), 0, 0, 16, masked(crc32c(whole))),
        b"b": writer.entry(1, (4,), 0, 0, 16, masked(crc32c(other))),
    }
    (tmp_path / "c-1.index").write_bytes(writer.index(entries))
    (tmp_path / "c-1.data-00000-of-00001").write_bytes(whole)
    found = verify(str(tmp_path / "c-1"), fail_on="error")
    rules = {f.variable: f.rule for g in found.verified[0].groups for f in g.findings}
    assert (found.ok, rules["b"]) == (False, "corrupt-tensor")
    assert "a" not in rules


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
@pytest.mark.parametrize("name", ["dense/kernel", "dense/kernel/Adagrad"])
def test_a_checkpoint_with_a_value_that_is_not_finite_is_not_good(
    name: str, value: float, tmp_path: Path
) -> None:
    tensors: Dict[str, Tuple[str, Tuple[int, ...], bytes]] = {
        "dense/kernel": ("float32", (2,), struct.pack("<2f", 1, 2))
    }
    tensors[name] = ("float32", (2,), struct.pack("<2f", 1, value))
    found = verify(save(tmp_path, tensors))
    (finding,) = [f for f in found.verified[0].groups[0].findings if f.rule == "non-finite-values"]
    assert (found.ok, finding.severity, finding.variable) == (False, "warning", name)
