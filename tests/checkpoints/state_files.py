"""Compares ckptcheck's reading of the state file with protobuf's, on random texts.

    python -m tests.checkpoints.state_files --trials 100000 --seed 1

TensorFlow merges the text of the file ``checkpoint`` into a CheckpointState. Each trial composes a
text from pieces of such files, or similar ones, and reads it with both.
"""

import argparse
import random
import sys
from typing import Any, Callable, Dict, List, Tuple

from ckptcheck.checkpoint.state_file import parse_state_bytes

NAMES = (
    "model_checkpoint_path",
    "all_model_checkpoint_paths",
    "all_model_checkpoint_timestamps",
    "last_preserved_timestamp",
    "model_checkpoint_paths",
    "MODEL_CHECKPOINT_PATH",
    "",
)
STRINGS = (
    '"model.ckpt-10"',
    "'model.ckpt-10'",
    '"a" "b"',
    "\"a\" 'b'",
    '"runs\\\\base\\\\model.ckpt-1"',
    '"caf\\303\\251"',
    '"caf\\xc3\\xa9"',
    '"\\x4"',
    '"\\u00e9"',
    '"\\377"',
    '"\\q"',
    '"\\n\\t\\0"',
    '"é"',
    '"a\nb"',
    '"a',
    'a"',
    '""',
    '"#"',
    '"\\"',
    '"\\\\"',
    "model.ckpt-10",
    "\ufeff",
)
NUMBERS = (
    "1600000000.25",
    "1",
    "-1",
    "1e9",
    "1.5f",
    "inf",
    "-inf",
    "nan",
    "0x10",
    "010",
    "1.",
    "+1",
)
VALUES = (*STRINGS, *NUMBERS, "true", "{}", "<>", "")
BETWEEN = (" ", "", "\n", "\t", ",", ";", ",,", " # x\n", "#", "\r\n", "\0", "\f", "\u00a0")

PIECES = (b"", b'"', b"\\", b"\n", b"[", b"]", b":", b"#", b"\xff", b"\xc3")


def text(rng: random.Random) -> str:
    """A text that is a state file, or nearly one."""
    return "".join(_field(rng) for _ in range(rng.choice((0, 1, 1, 2, 3))))


def _field(rng: random.Random) -> str:
    name = rng.choice(NAMES[:4]) if rng.random() < 0.9 else rng.choice(NAMES)
    colon = ":" if rng.random() < 0.95 else rng.choice(("", "::", "="))
    gap = rng.choice(BETWEEN[:3]) if rng.random() < 0.8 else rng.choice(BETWEEN)
    end = "\n" if rng.random() < 0.6 else rng.choice(BETWEEN)
    if rng.random() < 0.1:
        colon = rng.choice(BETWEEN) + colon
    return name + colon + gap + _value(rng) + end


def _value(rng: random.Random) -> str:
    if rng.random() < 0.85:
        return rng.choice(VALUES)
    count = rng.choice((0, 1, 2, 3))
    comma = rng.choice((", ", ",", " # x\n, ", ",#\n"))
    return "[" + comma.join(rng.choice(VALUES) for _ in range(count)) + rng.choice(("]", ",]", ""))


def mutated(rng: random.Random, data: bytes) -> bytes:
    """The bytes with a few of them changed, removed or doubled."""
    changed = bytearray(data)
    for _ in range(rng.choice((0, 0, 0, 1, 2))):
        place = rng.randrange(len(changed) + 1)
        piece = rng.choice((*PIECES, bytes([rng.randrange(256)])))
        changed[place : place + rng.choice((0, 1, 1, 2))] = piece
    return bytes(changed)


Read = Tuple[str, str, Tuple[str, ...]]
"""The result: ``read``, ``refused`` or ``not text``; the latest checkpoint; all checkpoints."""


def ours(data: bytes) -> Read:
    """What ckptcheck reads."""
    state = parse_state_bytes(data)
    if state.not_text:
        return "not text", "", ()
    return ("refused", "", ()) if state.problem else ("read", state.latest, state.all)


def protobufs() -> Callable[[bytes], Read]:
    """Returns a function that reads as TensorFlow does, with the installed protobuf."""
    from google.protobuf import text_format
    from tensorflow.python.training.checkpoint_state_pb2 import CheckpointState

    def read(data: bytes) -> Read:
        try:
            content = data.decode("utf-8")
        except UnicodeDecodeError:
            return "not text", "", ()
        try:
            state: Any = text_format.Merge(content, CheckpointState())
        except text_format.ParseError:
            return "refused", "", ()
        return "read", state.model_checkpoint_path, tuple(state.all_model_checkpoint_paths)

    return read


def run(trials: int, seed: int) -> Tuple[Dict[str, int], List[bytes]]:
    """Compares both; returns the counts of the results, and the texts with different results."""
    rng, theirs = random.Random(seed), protobufs()
    counts = {"read": 0, "refused": 0, "not text": 0}
    different = []
    for _ in range(trials):
        data = mutated(rng, text(rng).encode("utf-8"))
        wanted = theirs(data)
        counts[wanted[0]] += 1
        if ours(data) != wanted:
            different.append(data)
    return counts, different


def main() -> None:
    """Prints the counts; the exit code is 1 if the results of a text differ."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--trials", type=int, default=20000)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    counts, different = run(options.trials, options.seed)
    for data in sorted(different, key=len)[:20]:
        print(f"{data!r}: ckptcheck {ours(data)}, protobuf {protobufs()(data)}")
    print(f"trials {options.trials} {counts} different {len(different)}")
    sys.exit(1 if different else 0)


if __name__ == "__main__":
    main()
