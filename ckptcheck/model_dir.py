"""What the files of a model_dir are: values without any code that reads them."""

import dataclasses
import re
from typing import Optional, Tuple

from .protocol import VariableSpec

GLOBAL_STEPS = (
    "global_step",
    "global_step/.ATTRIBUTES/VARIABLE_VALUE",
    "estimator_global_step/.ATTRIBUTES/VARIABLE_VALUE",
)
"""Its keys: of Saver, ``tf.train.Checkpoint``, and what ``model_to_estimator`` saves first."""


def pattern_in(path: str) -> str:
    """The first character of a path that TensorFlow takes for a pattern's, "" for none."""
    return next((character for character in path if character in "[*?\\"), "")


@dataclasses.dataclass(frozen=True)
class StateFile:
    """What the state file ``checkpoint`` of a model_dir says.

    Attributes:
        latest: ``model_checkpoint_path`` as it is written, "" where it is missing.
        all: ``all_model_checkpoint_paths`` as they are written.
        problem: why it cannot be parsed, "" where it can.
        unseen: whether it could not even be read, so that there may be nothing wrong in it.
        directory: whether a directory stands in its place.
        not_text: whether it is not UTF-8, at which TensorFlow raises where it reads it.
    """

    latest: str
    all: Tuple[str, ...] = ()
    problem: str = ""
    unseen: bool = False
    directory: bool = False
    not_text: bool = False


@dataclasses.dataclass(frozen=True)
class Located:
    """What a MODEL_DIR argument leads to.

    Attributes:
        named: as the user wrote it.
        model_dir: the directory.
        prefix: the checkpoint that would be restored; "" where there is none.
        explicit: whether the user named the checkpoint and not the directory.
        state: the state file; None where there is none or it does not matter.
        exists: whether the files of ``prefix`` are there.
        lacks_index: whether they are there all but the index, without which there is none.
        hidden: whether they are there, and TensorFlow takes their directory for a pattern.
        names_file: whether ``prefix`` is something that TensorFlow finds, and no checkpoint.
        link: where ``prefix`` or its index links to, where that is not there; else "".
        doubled_slash: whether more than one slash stands before the checkpoint's name where what
            the state file says is joined to ``named``.
        folder_exists: whether the directory is there in which TensorFlow looks for ``prefix``.
        elsewhere: whether ``prefix`` lies neither in ``model_dir`` nor below it.
        missing_shards: names of the data files that should be beside the index and are not.
        listed_here: prefixes in the directory or below it that the state file lists.
        listed_elsewhere: checkpoints of other directories that the state file lists, and that are
            there.
        listed_nowhere: directories of checkpoints that the state file lists, and that are not
            there.
        candidates: the prefixes of all checkpoints in the directory, the latest last.
        graphs: where the saved graph can be, the best first.
        saved_model: the prefix of the variables, where the directory or the one above it is a
            SavedModel; else "".
        below: directories in the directory that hold checkpoints, where it holds none itself.
        data_alone: data files in the directory that nothing refers to, where it holds none.
    """

    named: str
    model_dir: str
    prefix: str
    explicit: bool
    state: Optional[StateFile]
    exists: bool
    lacks_index: bool = False
    hidden: bool = False
    names_file: bool = False
    link: str = ""
    doubled_slash: bool = False
    folder_exists: bool = True
    elsewhere: bool = False
    missing_shards: Tuple[str, ...] = ()
    listed_here: Tuple[str, ...] = ()
    listed_elsewhere: Tuple[str, ...] = ()
    listed_nowhere: Tuple[str, ...] = ()
    candidates: Tuple[str, ...] = ()
    graphs: Tuple[str, ...] = ()
    saved_model: str = ""
    below: Tuple[str, ...] = ()
    data_alone: Tuple[str, ...] = ()

    @property
    def refused(self) -> bool:
        """Whether the state file is one at which TensorFlow raises, whoever asks for it."""
        if self.prefix or self.state is None:
            return False
        return self.state.not_text or not self.state.problem


@dataclasses.dataclass(frozen=True)
class FileChange:
    """What happened to a file or directory.

    Attributes:
        name: relative to the model_dir; a directory's ends with a slash.
        kind: ``written``, ``changed`` or ``removed``.
    """

    name: str
    kind: str


@dataclasses.dataclass(frozen=True)
class DataFile:
    """A data file (shard) that the index of a checkpoint refers to.

    Attributes:
        name: its name, without the directory.
        size: its bytes; None where it is not there or cannot be read.
        needed: the bytes that the index says are in it.
        problem: why it cannot be read, "" where it can or is not there.
    """

    name: str
    size: Optional[int]
    needed: int
    problem: str = ""

    @property
    def whole(self) -> bool:
        """Whether all that the index refers to can be in it."""
        return self.size is not None and self.size >= self.needed


@dataclasses.dataclass(frozen=True)
class EntryFlaw:
    """Something in an index that cannot be.

    Attributes:
        variable: whose entry it is.
        kind: ``past-end`` (its bytes lie beyond the end of the data file), ``no-file`` (its data
            file is not there), ``no-shard`` (there can be no such data file), ``size`` (its bytes
            are not what its shape and dtype take), ``missing-part``, ``overlap``, or ``checksum``.
        text: what is wrong, in a few words.
        file: the data file that is not there or too short for it, "" for none.
    """

    variable: str
    kind: str
    text: str
    file: str = ""


@dataclasses.dataclass(frozen=True)
class CheckpointFiles:
    """What the files of one checkpoint look like, beside what its index lists.

    Attributes:
        files: the data files that the index refers to.
        flaws: entries of the index that cannot be right, by variable.
        unreferenced: data files with the checkpoint's prefix that the index does not refer to.
        remains: files and directories that an interrupted save has left in the directory.
        data_newer_by: how many seconds the newest data file is younger than the index.
        global_step: the value of the tensor ``global_step``; None where there is none to be read.
        without_index: data files of other checkpoints in the directory whose index is not there.
        saved_graph: whether its ``.meta`` file is there.
        graph_problem: why the ``.meta`` file that is there cannot be read, "" where it can.
        other_graph: whether there is a ``graph.pbtxt``, which is read where the other cannot be.
        snapshot: whether this is a snapshot, which has no data files.
        said: what was found of the model_dir that it was made of, and is not to be seen in it.
    """

    files: Tuple[DataFile, ...] = ()
    flaws: Tuple[EntryFlaw, ...] = ()
    unreferenced: Tuple[str, ...] = ()
    remains: Tuple[str, ...] = ()
    data_newer_by: float = 0.0
    global_step: Optional[int] = None
    without_index: Tuple[str, ...] = ()
    saved_graph: bool = True
    graph_problem: str = ""
    other_graph: bool = False
    snapshot: bool = False
    said: Tuple[str, ...] = ()

    @property
    def left_out(self) -> Tuple[str, ...]:
        """What a snapshot says of its model_dir, of which no rule can judge any more."""
        return tuple(
            f"the model_dir that this is a snapshot of, where {text}" for text in self.said
        )


@dataclasses.dataclass(frozen=True)
class TensorScan:
    """What the bytes of one tensor are.

    Attributes:
        variable: its name, dtype, and shape.
        problem: why it cannot be read, "" where it can; its checksum is right then.
        nan: how many of its values are no number.
        infinite: how many are infinite.
        least: the least finite value; None where there is none, or values are no numbers.
        most: the greatest one.
    """

    variable: VariableSpec
    problem: str = ""
    nan: int = 0
    infinite: int = 0
    least: Optional[float] = None
    most: Optional[float] = None

    @property
    def constant(self) -> bool:
        """Whether all values are one and the same number."""
        return self.least is not None and self.least == self.most and not self.nan + self.infinite


def step_of(prefix: str) -> Optional[int]:
    """The step in a checkpoint's name, None where it has none.

    A V1 checkpoint in several files is named by a pattern: ``model.ckpt-10-?????-of-00002``.
    """
    found = re.search(r"-(\d{1,19})(-\?{5}-of-\d{5})?\Z", prefix)
    return int(found.group(1)) if found else None
