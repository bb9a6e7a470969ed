"""Reads the index of a V2 checkpoint, which lists the tensors and where their bytes are.

The index ``PREFIX.index`` is a table. The empty key holds a BundleHeaderProto, and the name of each
tensor holds a BundleEntryProto. The bytes are in ``PREFIX.data-SHARD-of-SHARDS``. A partitioned
variable has an entry under its name, which lists its parts, and one entry for each part.
"""

import contextlib
import dataclasses
import gc
import itertools
import os
import struct
from typing import Dict, Iterator, NamedTuple, Optional, Tuple

from ..encoding.dtypes import dtype_name
from ..encoding.wire import (
    BYTES,
    FIXED32,
    all_bytes,
    bytes_in,
    bytes_of,
    fields,
    number_of,
    numbers_in,
    numbers_of,
)
from ..errors import UsageError
from ..model_dir import step_of
from ..protocol import CheckpointIndex, VariableSpec
from .bounded import read_whole
from .errors import CompressedError, DamagedError, FirstVersionError
from .slices import WHOLE, Extents, slice_key
from .table import table_blocks
from .v1_format import is_first_version

OBJECT_GRAPH = "_CHECKPOINTABLE_OBJECT_GRAPH"
"""The key of the object graph that ``tf.train.Checkpoint`` saves."""

LARGEST_INDEX = 1 << 28
"""Bytes, enough for millions of variables. ckptcheck does not read a larger index."""

_VERSION = 1
_MOST_DIMENSIONS = 254
_MOST_ELEMENTS = (1 << 63) - 1

Sizes = Tuple[int, ...]


class StoredTensor(NamedTuple):
    """An entry of the index: a tensor, or one part of a partitioned variable.

    Attributes:
        name: the variable's name. Bytes that are not UTF-8 become surrogates, as in file names.
        dtype: TensorFlow's name of the dtype.
        shape: the shape; for a part, the shape of the part.
        shard: the number of the data file.
        offset: the offset of its first byte in the data file.
        size: its size in bytes.
        crc32c: the stored checksum, in the masked form.
        slices: the parts of a partitioned variable, which has no bytes of its own.
        extents: which part of the variable this is; () if it is not a part.
    """

    name: str
    dtype: str
    shape: Sizes
    shard: int
    offset: int
    size: int
    crc32c: int
    slices: Tuple[Extents, ...] = ()
    extents: Extents = ()

    @property
    def elements(self) -> int:
        """How many values it has."""
        count = 1
        for size in self.shape:
            count *= size
        return count


@dataclasses.dataclass(frozen=True)
class Bundle:
    """The index of a checkpoint.

    Attributes:
        prefix: the path that ``Saver.restore`` takes.
        num_shards: the number of data files.
        big_endian: whether the data is big-endian.
        tensors: the variables, sorted by name.
        parts: the parts of the partitioned variables.
        missing_parts: the names of the variables that list a part without an entry.
    """

    prefix: str
    num_shards: int
    big_endian: bool
    tensors: Tuple[StoredTensor, ...]
    parts: Tuple[StoredTensor, ...] = ()
    missing_parts: Tuple[str, ...] = ()

    @property
    def object_based(self) -> bool:
        """Whether ``tf.train.Checkpoint`` or Keras wrote it."""
        return any(tensor.name == OBJECT_GRAPH for tensor in self.tensors)

    def stored(self) -> Iterator[StoredTensor]:
        """Yields the entries that have bytes in a data file."""
        for tensor in self.tensors:
            if not tensor.slices:
                yield tensor
        yield from self.parts

    def checkpoint_index(self) -> CheckpointIndex:
        """Converts to the type that rules and the tracer use."""
        variables = tuple(VariableSpec(item.name, item.shape, item.dtype) for item in self.tensors)
        return CheckpointIndex(self.prefix, step_of(self.prefix), variables, self.object_based)


def read_bundle(prefix: str) -> Bundle:
    """Reads the index of the checkpoint with this prefix.

    Raises:
        FirstVersionError: it is a V1 checkpoint.
        DamagedError: the index is missing or damaged.
        UsageError: it is too large, or compressed.
    """
    path = prefix + ".index"
    try:
        verify_index_size(path, os.path.getsize(path))
        return parse_bundle(read_whole(path, LARGEST_INDEX), prefix)
    except FileNotFoundError:
        if is_first_version(prefix):
            raise FirstVersionError(f"{prefix} is {_V1}")
        raise DamagedError(f"there is no file {path}")
    except OSError as error:
        raise DamagedError(f"{path} cannot be read: {error.strerror}")
    except CompressedError as error:
        raise UsageError(
            f"{path}: {error}. Only TensorFlow before 1.2 writes such an index, and ckptcheck "
            "cannot read it: restore the checkpoint and save it again with a newer TensorFlow"
        )
    except DamagedError as error:
        raise type(error)(f"{path}: {error}")


def verify_index_size(path: str, size: int) -> None:
    """Verifies that an index is not too large for ckptcheck, even if TensorFlow can read it.

    Raises:
        UsageError: it is too large.
    """
    if size > LARGEST_INDEX:
        raise UsageError(
            f"{path} is larger than {LARGEST_INDEX >> 20} MiB, so ckptcheck cannot check this "
            "checkpoint: it reads only smaller indexes"
        )


def has_huge_index(prefix: str) -> bool:
    """Whether a checkpoint's index is too large for ckptcheck."""
    try:
        return os.path.getsize(prefix + ".index") > LARGEST_INDEX
    except OSError:  # reading it reports this
        return False


_V1 = "a checkpoint of the V1 format (SaverDef.V1)"


@contextlib.contextmanager
def _without_collections() -> Iterator[None]:
    """Disables garbage collection, which would take a third of the time and find nothing."""
    enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if enabled:
            gc.enable()


@_without_collections()
def parse_bundle(data: bytes, prefix: str) -> Bundle:
    """Parses the bytes of an index file.

    Raises:
        FirstVersionError: it is a V1 checkpoint.
        DamagedError: it is damaged.
    """
    pairs = itertools.chain.from_iterable(table_blocks(data))
    first, header = next(pairs, (None, b""))
    if first != b"":
        raise DamagedError("it has no header")
    num_shards, big_endian = _header(header)
    known: Dict[bytes, Tuple[str, Sizes]] = {}
    entries = {key: _quickly(key, value, known) or _slowly(key, value) for key, value in pairs}
    tensors, parts, missing = _separated(entries)
    return Bundle(prefix, num_shards, big_endian, tensors, parts, missing)


# --- The header ------------------------------------------------------------------------------


def _header(value: bytes) -> Tuple[int, bool]:
    """Returns the number of data files, and whether the data is big-endian."""
    if any((number, kind) == (1, BYTES) for number, kind, _ in fields(value)):
        raise FirstVersionError("it is " + _V1)  # a V1 checkpoint has its list of tensors here
    num_shards, endianness = numbers_in(value, {1: 0, 2: 0})
    if num_shards < 1:
        raise DamagedError(f"its header says that there are {num_shards} data files")
    if endianness not in (0, 1):
        raise DamagedError(f"its header has the unknown byte order {endianness}")
    (version,) = bytes_in(value, 3)
    _verify_version(version)
    return num_shards, endianness == 1


def _verify_version(version: bytes) -> None:
    """Verifies the format's version as TensorFlow does. Its readers only know version 1."""
    producer, least = numbers_in(version, {1: 0, 2: 0})
    bad = (numbers_of(kind, item) for number, kind, item in fields(version) if number == 3)
    if least > _VERSION or _VERSION in itertools.chain.from_iterable(bad) or producer < 0:
        raise DamagedError(
            f"its format is version {producer}, for readers of version {least} or later; "
            f"TensorFlow's readers have version {_VERSION}"
        )


# --- The entries -----------------------------------------------------------------------------


_CRC = struct.Struct("<I")


def _quickly(
    key: bytes, value: bytes, known: Dict[bytes, Tuple[str, Sizes]]
) -> Optional[StoredTensor]:
    """Parses an entry in the form that TensorFlow writes; returns None for any other form.

    The dtype and the shape come first. Large checkpoints have few different ones, so they are
    cached. The loop is inlined for speed.
    """
    if len(value) < 4 or value[0] != 0x08 or value[2] != 0x12 or value[3] > 127:
        return None
    at = 4 + value[3]
    head = value[:at]
    shaped = known.get(head)
    if shaped is None:
        entry = _slowly(key, head)
        shaped = known[head] = (entry.dtype, entry.shape)
    numbers = [0, 0, 0]
    crc, end = 0, len(value)
    while at < end:
        tag = value[at]
        at += 1
        if tag == 0x35 and end - at >= 4:
            (crc,) = _CRC.unpack_from(value, at)
            at += 4
            continue
        if tag not in (0x18, 0x20, 0x28):
            return None
        number = shift = 0
        byte = 128
        while byte > 127:
            if at >= end or shift > 56:
                return None
            byte = value[at]
            number |= (byte & 127) << shift
            shift += 7
            at += 1
        numbers[(tag >> 3) - 3] = number
    name = key.decode("utf-8", "surrogateescape")
    return StoredTensor(name, shaped[0], shaped[1], numbers[0], numbers[1], numbers[2], crc)


def _slowly(key: bytes, value: bytes) -> StoredTensor:
    """Parses any entry.

    Raises:
        DamagedError: it is not a valid entry.
    """
    name = key.decode("utf-8", "surrogateescape")
    try:
        return _entry(name, value)
    except DamagedError as error:
        raise DamagedError(f"its entry for {name!r}: {error}")


def _entry(name: str, value: bytes) -> StoredTensor:
    dtype, shard, offset, size = numbers_in(value, {1: 0, 3: 0, 4: 0, 5: 0})
    if min(dtype, shard, offset, size) < 0:
        raise DamagedError("it has a negative dtype, data file, offset or size")
    shapes = list(itertools.islice(all_bytes(value, 2), 2))
    if len(shapes) > 1:
        raise DamagedError("it has two shapes")
    shape = _shape(*shapes) if shapes else ()
    slices = tuple(map(_extents, all_bytes(value, 7)))
    for extents in slices:
        _verify_fit(extents, shape)
    crc = 0
    for number, kind, item in fields(value):
        if number == 6 and kind == FIXED32 and isinstance(item, bytes):
            (crc,) = _CRC.unpack(item)
    return StoredTensor(name, dtype_name(dtype), shape, shard, offset, size, crc, slices)


def _shape(message: bytes) -> Sizes:
    sizes = []
    elements = 1
    for number, kind, item in fields(message):
        if number == 2:
            (size,) = numbers_in(bytes_of(kind, item), {1: 0})
            if size < 0:
                raise DamagedError(f"its shape has the negative dimension {size}")
            elements *= size
            sizes.append(size)
        elif number == 3 and number_of(kind, item):
            raise DamagedError("its shape is unknown")
        if len(sizes) > _MOST_DIMENSIONS or elements > _MOST_ELEMENTS:
            raise DamagedError("its shape is larger than TensorFlow allows")
    return tuple(sizes)


def _extents(message: bytes) -> Extents:
    extents = []
    for extent in all_bytes(message, 1):
        start, length = numbers_in(extent, {1: 0, 2: WHOLE})
        extents.append((start, length))
    return tuple(extents)


def _verify_fit(extents: Extents, shape: Sizes) -> None:
    fit = len(extents) == len(shape) and all(
        (start, length) == (0, WHOLE) or (start >= 0 and 0 <= length <= size - start)
        for (start, length), size in zip(extents, shape)
    )
    if not fit:
        raise DamagedError("its parts do not fit its shape")


def _separated(
    entries: Dict[bytes, StoredTensor],
) -> Tuple[Tuple[StoredTensor, ...], Tuple[StoredTensor, ...], Tuple[str, ...]]:
    """Separates the parts of partitioned variables from the variables.

    Returns:
        The variables, sorted by name; the parts; and the names of the variables that lack a part.
    """
    owners: Dict[bytes, Tuple[str, Extents]] = {}
    for key, entry in entries.items():
        for extents in entry.slices:
            part = slice_key(key, extents)
            if part in owners:
                raise DamagedError(f"its entry for {entry.name!r} lists a part twice")
            owners[part] = (entry.name, extents)
    tensors, parts = [], []
    for key, entry in entries.items():
        if key not in owners:
            tensors.append(entry)
            continue
        name, extents = owners.pop(key)
        if entry.slices:
            raise DamagedError(f"its entry for {name!r}: one of its parts is partitioned itself")
        parts.append(entry._replace(name=name, extents=extents))
    missing = sorted({name for name, _ in owners.values()})
    tensors.sort(key=lambda entry: entry.name)
    return tuple(tensors), tuple(parts), tuple(missing)
