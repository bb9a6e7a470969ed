"""Reads indexes of checkpoints, from valid bytes and from bytes that TensorFlow never writes."""

import contextlib
import os
import time
import tracemalloc
from pathlib import Path
from typing import Any, Dict, List, Tuple

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ckptcheck.checkpoint.bundle import Bundle, parse_bundle, read_bundle
from ckptcheck.checkpoint.errors import DamagedError, FirstVersionError
from ckptcheck.checkpoint.slices import WHOLE, slice_key
from ckptcheck.encoding.dtypes import dtype_name, element_size
from ckptcheck.errors import UsageError

from ..checkpoints import writer
from ..support import FIXTURES

KERNEL = writer.entry(1, (3, 4), 0, 8, 48, 0x12345678)
ENTRIES = {b"dense/kernel": KERNEL, b"global_step": writer.entry(9, (), 0, 0, 8, 7)}


def parse(entries: Dict[bytes, bytes], **options: Any) -> Bundle:
    return parse_bundle(writer.index(entries, **options), "model.ckpt-10")


def refused(data: bytes) -> str:
    with pytest.raises(DamagedError) as caught:
        parse_bundle(data, "model.ckpt-10")
    return str(caught.value)


def test_an_index() -> None:
    bundle = parse(ENTRIES, num_shards=2)
    kernel, step = bundle.tensors
    assert (kernel.name, kernel.dtype, kernel.shape) == ("dense/kernel", "float32", (3, 4))
    assert (kernel.shard, kernel.offset, kernel.size, kernel.crc32c) == (0, 8, 48, 0x12345678)
    assert (step.name, step.dtype, step.shape, step.size) == ("global_step", "int64", (), 8)
    assert (bundle.num_shards, bundle.big_endian, bundle.object_based) == (2, False, False)
    assert list(bundle.stored()) == [kernel, step]


def test_the_index_that_all_rooms_share() -> None:
    index = parse(ENTRIES).checkpoint_index()
    assert (index.prefix, index.step, index.object_based) == ("model.ckpt-10", 10, False)
    assert [(spec.name, spec.shape, spec.dtype) for spec in index.variables] == [
        ("dense/kernel", (3, 4), "float32"),
        ("global_step", (), "int64"),
    ]


def test_many_blocks() -> None:
    entries = {b"v%05d" % i: writer.entry(1, (i,), 0, i, 4 * i, i) for i in range(1000)}
    bundle = parse(entries, per_block=64)
    assert [item.shape for item in bundle.tensors] == [(i,) for i in range(1000)]
    assert [item.offset for item in bundle.tensors] == list(range(1000))


@given(
    st.dictionaries(
        st.binary(min_size=1, max_size=40),
        st.tuples(
            st.integers(1, 33),
            st.lists(st.integers(0, 1 << 12), max_size=5),
            st.integers(0, 1 << 20),
            st.integers(0, (1 << 63) - 1),
            st.integers(0, (1 << 63) - 1),
            st.integers(0, (1 << 32) - 1),
        ),
        max_size=20,
    )
)
def test_any_entries(content: Dict[bytes, Tuple[int, List[int], int, int, int, int]]) -> None:
    bundle = parse({name: writer.entry(*value) for name, value in content.items()})
    found = {
        item.name: (item.dtype, item.shape, item.shard, item.offset, item.size, item.crc32c)
        for item in bundle.tensors
    }
    assert found == {
        name.decode("utf-8", "surrogateescape"): (dtype_name(v[0]), tuple(v[1]), *v[2:])
        for name, v in content.items()
    }


def test_fields_in_another_order_and_unknown_ones() -> None:
    """Protobuf allows this."""
    out = writer.field(5, 48) + writer.field(99, b"new") + writer.field(98, 1)
    out += writer.field(2, writer.shape_proto((3, 4))) + writer.field(1, 1)
    (found,) = parse({b"x": out}).tensors
    assert (found.dtype, found.shape, found.size) == ("float32", (3, 4), 48)


def test_an_object_based_checkpoint() -> None:
    entries = {b"_CHECKPOINTABLE_OBJECT_GRAPH": writer.entry(7)}
    assert parse(entries).checkpoint_index().object_based


def test_a_big_endian_header() -> None:
    assert parse(ENTRIES, first=writer.header(endianness=1)).big_endian


def test_a_partitioned_variable() -> None:
    entries = dict(writer.partitioned(b"table", 3, 2))
    entries[b"bias"] = writer.entry(1, (2,), 0, 24, 8)
    bundle = parse(entries)
    assert [item.name for item in bundle.tensors] == ["bias", "table"]
    table = bundle.tensors[1]
    assert (table.shape, len(table.slices)) == ((3, 2), 3)
    assert [(part.name, part.shape, part.offset) for part in bundle.parts] == [
        ("table", (1, 2), 0),
        ("table", (1, 2), 8),
        ("table", (1, 2), 16),
    ]
    assert [part.extents for part in bundle.parts] == [((n, 1), (0, WHOLE)) for n in range(3)]
    assert [item.name for item in bundle.stored()] == ["bias", "table", "table", "table"]
    assert bundle.missing_parts == ()


def test_a_part_that_is_not_there() -> None:
    entries = dict(writer.partitioned(b"table", 3, 2))
    del entries[slice_key(b"table", ((1, 1), (0, -1)))]
    assert parse(entries).missing_parts == ("table",)


def test_a_part_that_has_parts() -> None:
    extents = ((0, 2),)
    part = slice_key(b"a", extents)
    entries = {
        b"a": writer.entry(1, (2,), slices=[extents]),
        part: writer.entry(1, (2,), slices=[extents]),
        slice_key(part, extents): writer.entry(1, (2,), size=8),
    }
    says = "its entry for 'a': one of its parts is partitioned itself"
    assert refused(writer.index(entries)) == says


def test_names_that_begin_as_parts_do() -> None:
    """If no variable lists it as a part, it is a variable with a strange name, as in TensorFlow."""
    bundle = parse({b"\0\1x": KERNEL, b"a": writer.entry(1, (1,), slices=[((0, 1),)])})
    assert [item.name for item in bundle.tensors] == ["\0\1x", "a"]


@pytest.mark.parametrize(
    ("extents", "key"),
    [
        (((0, 5), (0, -1)), b"\0w\0\1\1\2\x80\x85\x80\x7f"),
        (((64, 300),), b"\0w\0\1\1\1\xc0\x40\xc1\x2c"),
        (((8192, 1 << 40),), b"\0w\0\1\1\1\xe0\x20\0\xfd\0\0\0\0\0"),
    ],
)
def test_keys_of_parts(extents: Any, key: bytes) -> None:
    assert slice_key(b"w", extents) == key


def test_keys_of_parts_escape() -> None:
    assert slice_key(b"a\0b\xffc", ())[1:-1] == b"a\0\xffb\xff\0c\0\1"


# --- No index ------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("first", "says"),
    [
        (b"", "0 data files"),
        (writer.header(0), "0 data files"),
        (writer.header(-1), "-1 data files"),
        (writer.header(endianness=2), "byte order 2"),
        (writer.header(least=2), "version 1, for readers of version 2"),
        (writer.header(bad=1), "TensorFlow's readers have version 1"),
        (b"\x08", "number at byte 1 is invalid"),
    ],
)
def test_headers(first: bytes, says: str) -> None:
    assert says in refused(writer.index(ENTRIES, first=first))


def test_no_header() -> None:
    assert refused(writer.table(sorted(ENTRIES.items()))) == "it has no header"


@pytest.mark.parametrize(
    ("value", "says"),
    [
        (writer.entry(1, (-1,)), "negative dimension -1"),
        (writer.entry(1, (1 << 40, 1 << 40)), "larger than TensorFlow allows"),
        (writer.entry(1, (1,) * 255), "larger than TensorFlow allows"),
        (writer.entry(1, (2,), offset=-1), "negative"),
        (writer.entry(1, (2,), shard=-1), "negative"),
        (writer.field(1, 1) + writer.field(2, writer.field(3, 1)), "unknown"),
        (writer.entry(1, (2,)) + writer.field(2, b""), "two shapes"),
        (writer.entry(1, (4,), slices=[((0, 5),)]), "do not fit"),
        (writer.entry(1, (4,), slices=[((-1, 2),)]), "do not fit"),
        (writer.entry(1, (4,), slices=[((0, 1), (0, 1))]), "do not fit"),
        (writer.entry(1, (4,), slices=[((0, 1),), ((0, 1),)]), "lists a part twice"),
        (writer.field(1, b"x"), "expected a number"),
        (writer.field(2, 5), "expected a message"),
        (KERNEL[:-1], "the field at byte"),
        (KERNEL[:3], "the number at byte"),
        (KERNEL + b"\x20" + b"\xff" * 10, "the number at byte"),
    ],
)
def test_entries(value: bytes, says: str) -> None:
    message = refused(writer.index({b"dense/kernel": value}))
    assert says in message
    assert "dense/kernel" in message


def test_a_dtype_that_tensorflow_does_not_have_yet() -> None:
    (found,) = parse({b"x": writer.entry(77, (2,))}).tensors
    assert (found.dtype, element_size(found.dtype)) == ("dtype 77", None)


def test_first_version_by_its_content() -> None:
    tensors = writer.field(1, writer.field(1, b"dense/kernel"))
    with pytest.raises(FirstVersionError, match="V1"):
        parse_bundle(writer.table([(b"", tensors)]), "x")


def test_first_version_by_its_file(tmp_path: Path) -> None:
    prefix = tmp_path / "model.ckpt-7"
    prefix.write_bytes(writer.table([(b"", writer.field(1, b""))]))
    with pytest.raises(FirstVersionError, match=r"model.ckpt-7 is a checkpoint of the V1 format"):
        read_bundle(str(prefix))


@pytest.mark.parametrize("make", ["nothing", "directory", "empty", "text", "fifo"])
def test_files_that_are_no_index(tmp_path: Path, make: str) -> None:
    path = tmp_path / "model.ckpt-7.index"
    if make == "directory":
        path.mkdir()
    elif make == "fifo":
        os.mkfifo(str(path))
    elif make != "nothing":
        path.write_bytes(b"" if make == "empty" else b"not an index" * 20)
    with pytest.raises(DamagedError, match=r"model.ckpt-7.index"):
        read_bundle(str(tmp_path / "model.ckpt-7"))


def test_an_index_that_is_too_large_says_nothing_of_what_tensorflow_does(tmp_path: Path) -> None:
    with open(str(tmp_path / "model.ckpt-7.index"), "wb") as file:
        file.truncate((1 << 28) + 1)
    with pytest.raises(UsageError, match=r"model.ckpt-7.index is larger than 256 MiB"):
        read_bundle(str(tmp_path / "model.ckpt-7"))


def test_every_fixture() -> None:
    """Their variables are compared with TensorFlow's own list elsewhere."""
    prefixes = sorted(str(path)[: -len(".index")] for path in FIXTURES.glob("*/*/*.index"))
    assert len(prefixes) > 20
    for prefix in prefixes:
        bundle = read_bundle(prefix)
        assert bundle.missing_parts == ()
        size = os.path.getsize(prefix + ".data-00000-of-00001")
        assert max(item.offset + item.size for item in bundle.stored()) == size


# --- Hostile ones ----------------------------------------------------------------------------


@settings(max_examples=300)
@given(st.binary(max_size=120), st.binary(max_size=120))
def test_any_bytes_in_whole_blocks(first: bytes, value: bytes) -> None:
    """Fuzzing of contents with correct checksums."""
    for head, entry in ((first, KERNEL), (writer.header(), value), (writer.header(), KERNEL[:-5])):
        with contextlib.suppress(DamagedError):
            parse_bundle(writer.table([(b"", head), (b"a", entry)]), "x")


def test_every_changed_byte_of_an_entry() -> None:
    entries = dict(writer.partitioned(b"table", 2, 2))
    for name, value in list(entries.items()):
        for at in range(len(value)):
            for changed in (0, 0x7F, 0x80, 0xFF, value[at] ^ 1):
                damaged = value[:at] + bytes([changed]) + value[at + 1 :]
                with contextlib.suppress(DamagedError):
                    parse({**entries, name: damaged})


def test_memory_is_bounded_by_the_file() -> None:
    """A file of the smallest possible entries, each of which is a tensor."""
    entries = {b"%x" % i: b"\x08\1" for i in range(40000)}
    data = writer.index(entries, per_block=4000)
    tracemalloc.start()
    try:
        start = time.process_time()
        bundle = parse_bundle(data, "x")
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert len(bundle.tensors) == 40000
    assert time.process_time() - start < 20
    assert peak < 100 * len(data)


def test_a_compressed_index_is_not_called_damaged(tmp_path: Path) -> None:
    """TensorFlow reads blocks compressed with snappy, but has not written such blocks since 1.2."""
    data = writer.table_of_blocks([(b"\xff", b"x" * 20, 1)])
    (tmp_path / "model.ckpt-1.index").write_bytes(data)
    with pytest.raises(
        UsageError, match=r"compressed with snappy.*: restore the checkpoint and save"
    ):
        read_bundle(str(tmp_path / "model.ckpt-1"))
