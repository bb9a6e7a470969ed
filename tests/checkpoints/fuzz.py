"""Coverage-guided fuzzing of everything that reads untrusted bytes; needs the package atheris.

    python -m tests.checkpoints.fuzz index -runs=1000000
    python -m tests.checkpoints.fuzz state -runs=1000000
    python -m tests.checkpoints.fuzz graph -runs=1000000

``index`` gives the bytes to the reader of index files twice: as they are, and as blocks of a table
with correct checksums. A fuzzer alone would not find correct checksums. ``state`` gives them to the
reader of the state file. ``graph`` gives them to the reader of graphs: as a ``.meta`` file, as a
GraphDef with definitions of its ops, or as a ``graph.pbtxt``. The reader may
only raise a DamagedError. The corpus starts with the files of the fixtures.
"""

import os
import re
import sys
import tempfile
from typing import List

import atheris

with atheris.instrument_imports(include=["ckptcheck"]):
    from ckptcheck.checkpoint.bundle import parse_bundle
    from ckptcheck.checkpoint.errors import DamagedError
    from ckptcheck.checkpoint.state_file import parse_state_bytes
    from ckptcheck.checkpoint.table import table_blocks
    from ckptcheck.encoding.wire import fields
    from ckptcheck.graph.graph import Graph
    from ckptcheck.graph.reader import parse_graph

from ..graphs import read_all
from ..support import FIXTURES
from . import writer

_LARGEST = 1 << 16


def one_index(data: bytes) -> None:
    """Reads the bytes as an index, as a block of an index, and as an entry of an index."""
    kind = data[0] % 3 if data else 0
    rest = data[1:]
    if kind == 0:
        content = rest
    elif kind == 1:
        content = writer.table_of_blocks([(b"\xff" * 8, rest, 0)])
    else:
        half = len(rest) // 2
        content = writer.index({b"a": rest[:half], b"b/c": rest[half:]})
    try:
        bundle = parse_bundle(content, "model.ckpt-1")
    except DamagedError:
        return
    assert sum(1 for _ in bundle.stored()) <= len(content)


def one_state(data: bytes) -> None:
    """Reads the bytes as a state file."""
    for content in (data, data.decode("utf-8", "replace").encode("utf-8")):
        state = parse_state_bytes(content)
        assert not (state.problem and state.latest)


def one_graph(data: bytes) -> None:
    """Reads the bytes as a graph, and all parts of this graph."""
    kind, rest = data[0] % 3 if data else 0, data[1:]
    try:
        if kind == 0:
            read_all(parse_graph(rest, "c.meta"))
        elif kind == 1:
            half = len(rest) // 2
            read_all(Graph(rest[:half], rest[half:]))
        else:
            read_all(parse_graph(rest, "graph.pbtxt"))
    except DamagedError:
        return


def seeds(target: str) -> List[bytes]:
    """Real files, and their blocks."""
    if target == "state":
        return [path.read_bytes() for path in sorted(FIXTURES.glob("*/*/checkpoint"))]
    if target == "graph":
        texts = [path.read_bytes()[:_LARGEST] for path in sorted(FIXTURES.glob("*/*/graph.pbtxt"))]
        heads = [_head(path.read_bytes()) for path in sorted(FIXTURES.glob("*/*/*.meta"))]
        return [*(b"\0" + head for head in heads), *(b"\2" + text for text in texts)]
    found = []
    for path in sorted(FIXTURES.glob("*/*/*.index")):
        data = path.read_bytes()
        found.append(b"\0" + data)
        for pairs in table_blocks(data):
            block = writer.block(pairs)
            found.append(b"\1" + block)
            found.append(b"\2" + pairs[-1][1] * 2)
    return found


def _head(graph: bytes) -> bytes:
    """The ops of a saved graph that give the inputs, and those that hold variables."""
    definition = next(value for number, _, value in fields(graph) if number == 2)
    assert isinstance(definition, bytes)
    nodes = [value for number, _, value in fields(definition) if number == 1]
    kept = [node for node in nodes if isinstance(node, bytes) and _KEPT.search(node)]
    return writer.field(2, b"".join(writer.field(1, node) for node in kept[:3]))


_KEPT = re.compile(rb"IteratorGetNext|QueueDequeue|VarHandleOp|VariableV2")


def main() -> None:
    """Runs libFuzzer. The words after the target's name are its options."""
    targets = {"index": one_index, "state": one_state, "graph": one_graph}
    if len(sys.argv) < 2 or sys.argv[1] not in targets:
        sys.exit(__doc__)
    target = sys.argv[1]
    with tempfile.TemporaryDirectory() as corpus:
        for number, seed in enumerate(seeds(target)):
            with open(os.path.join(corpus, f"seed{number}"), "wb") as file:
                file.write(seed)
        options = [f"-max_len={_LARGEST}", *sys.argv[2:], corpus]
        atheris.Setup([sys.argv[0], *options], targets[target])
        atheris.Fuzz()


if __name__ == "__main__":
    main()
