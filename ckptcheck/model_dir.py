"""Values that describe the files of a model_dir. The modules that read the files are elsewhere."""

import dataclasses
import os
import re
from typing import ClassVar, Optional, Tuple, Union

from .codec import Word
from .protocol import VariableSpec

GLOBAL_STEPS = (
    "global_step",
    "global_step/.ATTRIBUTES/VARIABLE_VALUE",
    "estimator_global_step/.ATTRIBUTES/VARIABLE_VALUE",
)
"""The keys of the global step, as saved by Saver, by ``tf.train.Checkpoint``, and in the first
checkpoint of ``model_to_estimator``."""


def pattern_in(path: str) -> str:
    """Returns the first glob character of a path (as TensorFlow defines them); "" if none."""
    return next((character for character in path if character in "[*?\\"), "")


@dataclasses.dataclass(frozen=True)
class StateFile:
    """The contents of the state file ``checkpoint`` of a model_dir.

    Attributes:
        latest: ``model_checkpoint_path`` as written; "" if it is missing.
        all: ``all_model_checkpoint_paths`` as written.
        problem: why the file cannot be parsed; "" if it can.
        unseen: whether the file could not be read, so that its contents may be correct.
        directory: whether a directory has the state file's name.
        not_text: whether it is not UTF-8. TensorFlow raises when it reads such a file.
    """

    latest: str = ""
    all: Tuple[str, ...] = ()
    problem: str = ""
    unseen: bool = False
    directory: bool = False
    not_text: bool = False


@dataclasses.dataclass(frozen=True)
class ModelDir:
    """The known facts about a MODEL_DIR argument of any kind.

    Attributes:
        named: the argument as the user wrote it.
        model_dir: the directory.
        candidates: the prefixes of all checkpoints in the directory; the latest is the last.
        prefix: the checkpoint; "" if none is named.
        listed_here: the prefixes that the state file lists in ``model_dir`` or below it.
        elsewhere: whether the path of the checkpoint is outside ``model_dir``.
        exists: whether TensorFlow finds the checkpoint.
    """

    named: str
    model_dir: str
    candidates: Tuple[str, ...]
    prefix: str = ""
    listed_here: Tuple[str, ...] = ()
    elsewhere: bool = False
    exists: ClassVar[bool] = False

    @property
    def graphs(self) -> Tuple[str, ...]:
        """The files that may hold the saved graph, in order of preference.

        If the checkpoint does not exist, the latest one may be a save of the same model.
        """
        saved = [self.prefix] if self.prefix and "\0" not in self.prefix else []
        if not self.exists:
            saved.extend(self.candidates[-1:])
        names = dict.fromkeys(without_pattern(prefix) + ".meta" for prefix in saved)
        return (*names, os.path.join(self.model_dir, "graph.pbtxt"))


@dataclasses.dataclass(frozen=True)
class Named(ModelDir):
    """The user named a checkpoint that exists. The state file does not matter.

    Attributes:
        missing_shards: the names of the data files that the checkpoint lacks.
    """

    missing_shards: Tuple[str, ...] = ()
    exists = True


@dataclasses.dataclass(frozen=True)
class Found(ModelDir):
    """The state file names a checkpoint that exists.

    Attributes:
        written: the checkpoint as the state file writes it.
        missing_shards: the names of the data files that the checkpoint lacks.
        double_slash: whether ``named``, joined with ``written``, has several slashes before the
            checkpoint's name.
        listed_elsewhere: the existing checkpoints that the state file lists in other directories.
        listed_nowhere: the directories of listed checkpoints, if the directories do not exist.
    """

    written: str = ""
    missing_shards: Tuple[str, ...] = ()
    double_slash: bool = False
    listed_elsewhere: Tuple[str, ...] = ()
    listed_nowhere: Tuple[str, ...] = ()
    exists = True


class Absence(Word):
    """Why a path in a state file leads to no checkpoint."""

    NOT_A_CHECKPOINT = "not-a-checkpoint"
    """A file or directory of that name exists, but it is not a checkpoint."""
    BROKEN_LINK = "broken-link"
    """The checkpoint or its index is a link to a file that does not exist."""
    GLOB = "glob"
    """The files exist, but TensorFlow treats their directory as a glob pattern."""
    NO_INDEX = "no-index"
    """Only the data files exist."""
    NO_FILES = "no-files"
    """No file of the checkpoint exists."""


@dataclasses.dataclass(frozen=True)
class Missing(ModelDir):
    """The state file names a checkpoint that does not exist, or that TensorFlow does not find.

    Attributes:
        written: the checkpoint as the state file writes it.
        absence: why it is not found.
        link: the missing target of the checkpoint or its index, if that is a broken link; else "".
        folder_exists: whether the directory where TensorFlow looks for the checkpoint exists.
    """

    written: str = ""
    absence: Absence = Absence.NO_FILES
    link: str = ""
    folder_exists: bool = True


@dataclasses.dataclass(frozen=True)
class Unnamed(ModelDir):
    """No checkpoint is named: the state file is missing, unusable, or names none.

    Attributes:
        state: the state file; None if it is missing.
        saved_model: the prefix of the SavedModel's variables, if the directory or its parent is a
            SavedModel; else "".
        without_variables: whether the directory is a SavedModel without variables.
        exports: the variables of the SavedModels below the directory, the newest last, if the
            directory is no SavedModel and holds no checkpoint.
        below: the subdirectories that hold checkpoints, if the directory holds none.
        data_alone: the data files in the directory, if it holds no checkpoint.
    """

    state: Optional[StateFile] = None
    saved_model: str = ""
    without_variables: bool = False
    exports: Tuple[str, ...] = ()
    below: Tuple[str, ...] = ()
    data_alone: Tuple[str, ...] = ()

    @property
    def refused(self) -> bool:
        """Whether TensorFlow raises in every mode because of the state file."""
        return self.state is not None and (self.state.not_text or not self.state.problem)


Located = Union[Named, Found, Missing, Unnamed]
"""What a MODEL_DIR argument leads to."""


@dataclasses.dataclass(frozen=True)
class Against:
    """The git revision whose code is checked instead of a checkpoint.

    Attributes:
        revision: as the user named it.
        commit: the id of the commit.
    """

    revision: str
    commit: str

    def __str__(self) -> str:
        """Returns both: ``HEAD (1a2b3c4)``."""
        short = self.commit[:7]
        return short if self.commit.startswith(self.revision) else f"{self.revision} ({short})"


class ChangeKind(Word):
    """What happened to a file or directory."""

    WRITTEN = "written"
    CHANGED = "changed"
    REMOVED = "removed"


@dataclasses.dataclass(frozen=True)
class FileChange:
    """A change of a file or directory.

    Attributes:
        name: relative to the model_dir; a directory's name ends with a slash.
        kind: what happened to it.
    """

    name: str
    kind: ChangeKind


@dataclasses.dataclass(frozen=True)
class DataFile:
    """A data file (shard) that the index of a checkpoint refers to.

    Attributes:
        name: its name, without the directory.
        size: its size in bytes; None if it is missing or cannot be read.
        needed: the size in bytes that the index requires.
        problem: why it cannot be read; "" if it can, or if it is missing.
    """

    name: str
    size: Optional[int]
    needed: int
    problem: str = ""

    @property
    def complete(self) -> bool:
        """Whether it is large enough for everything that the index refers to."""
        return self.size is not None and self.size >= self.needed


class FlawKind(Word):
    """What is wrong with an entry of an index, or with the bytes that it refers to."""

    PAST_END = "past-end"
    """The bytes lie beyond the end of the data file."""
    NO_FILE = "no-file"
    """The data file does not exist."""
    NO_SHARD = "no-shard"
    """A data file of this number cannot exist."""
    SIZE = "size"
    """The size does not match the shape and the dtype."""
    MISSING_PART = "missing-part"
    """A part of a partitioned variable has no entry."""
    OVERLAP = "overlap"
    """The bytes overlap those of another tensor."""
    CHECKSUM = "checksum"
    """The bytes do not match their checksum."""


@dataclasses.dataclass(frozen=True)
class EntryFlaw:
    """An entry of an index that cannot be correct.

    Attributes:
        variable: the variable that the entry is for.
        kind: what is wrong.
        text: a short description.
        file: the data file that is missing or too short, else "".
    """

    variable: str
    kind: FlawKind
    text: str
    file: str = ""


@dataclasses.dataclass(frozen=True)
class NewerSource:
    """What Estimator loads now from the model_dir that a snapshot was made of.

    Attributes:
        source: the path of the model_dir or the checkpoint, as the snapshot records it.
        prefix: the checkpoint that Estimator loads now.
        same_variables: whether it has the same variables as the one in the snapshot.
    """

    source: str
    prefix: str
    same_variables: bool


@dataclasses.dataclass(frozen=True)
class CheckpointFiles:
    """The state of the files of one checkpoint.

    Attributes:
        files: the data files that the index refers to.
        flaws: entries of the index that cannot be correct, sorted by variable.
        unreferenced: data files with the checkpoint's prefix that the index does not refer to.
        remains: files and directories in the directory that an interrupted save or copy left.
        data_newer_by: how many seconds the newest data file is newer than the index.
        global_step: the value of the tensor ``global_step``; None if it cannot be read.
        without_index: data files of other checkpoints in the directory that have no index.
        saved_graph: whether the checkpoint's ``.meta`` file exists.
        graph_problem: why the ``.meta`` file cannot be read; "" if it can, or does not exist.
        other_graph: whether a ``graph.pbtxt`` can be read instead.
        snapshot: whether this is a snapshot, which has no data files.
        recorded: messages about the original model_dir that a snapshot records.
        newer: the checkpoint that has replaced the one in the snapshot; None if none has, or if
            the original model_dir is not there.
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
    recorded: Tuple[str, ...] = ()
    newer: Optional[NewerSource] = None

    @property
    def left_out(self) -> Tuple[str, ...]:
        """The messages about the original model_dir that the snapshot records for this report."""
        return tuple(f"the original model_dir of this snapshot: {text}" for text in self.recorded)


@dataclasses.dataclass(frozen=True)
class TensorScan:
    """The result of reading the bytes of one tensor.

    Attributes:
        variable: its name, dtype, and shape.
        problem: why it cannot be read; "" if it can, and its checksum matches.
        nan: how many of its values are NaN.
        infinite: how many of its values are infinite.
        least: the smallest finite value; None if there is none, or if the values are not numbers.
        most: the largest finite value, like ``least``.
    """

    variable: VariableSpec
    problem: str = ""
    nan: int = 0
    infinite: int = 0
    least: Optional[float] = None
    most: Optional[float] = None

    @property
    def constant(self) -> bool:
        """Whether all values are the same number."""
        return self.least is not None and self.least == self.most and not self.nan + self.infinite


def step_of(prefix: str) -> Optional[int]:
    """Returns the step in a checkpoint's name; None if it has none."""
    found = re.search(r"-(\d{1,19})\Z", without_pattern(prefix))
    return int(found.group(1)) if found else None


def without_pattern(prefix: str) -> str:
    """Returns a checkpoint's name without the pattern of shards. The saved graph has this name.

    A V1 checkpoint in several files is named by a pattern: ``model.ckpt-10-?????-of-00002``.
    """
    return re.sub(r"-\?{5}-of-\d{5}\Z", "", prefix)
