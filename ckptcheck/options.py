"""Every option once: its name, types, default, help text and validation.

The command line and the Python API are made from the lists below. To add an option to a command,
add one entry to the command's list.
"""

import dataclasses
import inspect
import os
import typing
from typing import Any, Callable, Dict, Generic, Mapping, Optional, Sequence, Tuple, TypeVar, Union

from . import option_values as values
from .errors import UsageError
from .features_file import FeatureFile
from .protocol import ALL_MODES, MODES
from .results import SEVERITIES

Given = TypeVar("Given")
Kept = TypeVar("Kept")
C = TypeVar("C")
Path = Union[str, "os.PathLike[str]"]
DEFAULT_TIMEOUT = 300.0

_REQUIRED: Any = inspect.Parameter.empty


class Option(Generic[Given, Kept]):
    """One option: a field of a list that takes ``Given`` and keeps ``Kept``.

    Attributes:
        name: the keyword in Python.
        takes: the type ``Given``.
        read: returns the value to keep, or raises a :class:`UsageError` without the name.
        help: one sentence for the command line's help and the docstring.
        default: the value if the option is not given.
        flag: the flag on the command line, by default made from the name. For a positional
            argument, it is a word without dashes.
        metavar: the name of the value in the command line's help.
        short: a second flag.
        kw_only: whether it is a keyword argument in Python and a flag on the command line, not a
            positional argument.
    """

    def __init__(
        self,
        read: Callable[[Any], Kept],
        help: str,
        *,
        default: Given = _REQUIRED,
        flag: str = "",
        metavar: str = "",
        short: str = "",
        kw_only: bool = True,
    ) -> None:
        self.name = ""
        self.takes: Any = None
        self.read = read
        self.help = help
        self.default = default
        self.flag = flag
        self.metavar = metavar
        self.short = short
        self.kw_only = kw_only

    @property
    def required(self) -> bool:
        """Whether there is no default."""
        return self.default is _REQUIRED

    def __set_name__(self, owner: type, name: str) -> None:
        self.name = name
        self.takes = owner.__annotations__[name].__args__[0]
        made = "--" + name.replace("_", "-") if self.kw_only else name.upper()
        self.flag = self.flag or made
        self.metavar = self.metavar or self.flag

    @typing.overload
    def __get__(self, instance: None, owner: type) -> Given: ...

    @typing.overload
    def __get__(self, instance: object, owner: type) -> Kept: ...

    def __get__(self, instance: Optional[object], owner: type) -> Union[Given, Kept]:
        """Returns the kept value. On the class, returns the default, as dataclasses expect."""
        if instance is not None:
            kept: Kept = instance.__dict__[self.name]
            return kept
        if self.required:
            raise AttributeError(self.name)
        return self.default

    def __set__(self, instance: object, value: Given) -> None:
        instance.__dict__[self.name] = self.kept(value)
        instance.__dict__.setdefault("given", {})[self.name] = value

    def kept(self, value: Any) -> Kept:
        """Returns the value that the option keeps for a given value.

        Raises:
            OptionError: the option cannot have this value.
        """
        try:
            return self.read(value)
        except UsageError as error:
            space = "" if str(error).startswith((":", "[", " ")) else " "
            raise OptionError(self, space + str(error)) from None


class OptionError(UsageError):
    """An option has a value that it cannot have.

    Attributes:
        by_flags: the message with the names that options have on the command line. ``str()``
            has the names of the Python API.
        by_keys: the message with the names that options have in a configuration.
    """

    def __init__(self, *parts: "Union[str, Option[Any, Any]]") -> None:
        super().__init__("".join(p if isinstance(p, str) else p.name for p in parts))
        self.by_flags = "".join(p if isinstance(p, str) else p.flag for p in parts)
        self.by_keys = "".join(p if isinstance(p, str) else hyphenated(p.name) for p in parts)


def hyphenated(name: str) -> str:
    """Returns the name of an option as the documentation of the configuration writes it."""
    return name.replace("_", "-")


_MODEL_DIR = (
    "A model_dir, the prefix of a checkpoint (runs/base/model.ckpt-1000), or one of its files. "
    "It may be remote, such as gs://bucket/runs/base."
)
_LOCAL_MODEL_DIR = (
    "A local model_dir, the prefix of a checkpoint (runs/base/model.ckpt-1000), or one of its "
    "files."
)


def _model_dir(
    *, kw_only: bool, default: Path = _REQUIRED, help: str = _MODEL_DIR
) -> Option[Path, str]:
    return Option(
        values.path("a path"),
        help,
        default=default,
        kw_only=kw_only,
    )


_CACHE_DIR = (
    "The directory of the cache (docs/cache.md). Default: the environment variable "
    "CKPTCHECK_CACHE_DIR, or .ckptcheck_cache in the directory of the project, or "
    "~/.cache/ckptcheck outside of a project."
)


if typing.TYPE_CHECKING:
    from typing_extensions import dataclass_transform

    @dataclass_transform(
        frozen_default=True, kw_only_default=True, field_specifiers=(Option, _model_dir)
    )
    def option_list(cls: typing.Type[C]) -> typing.Type[C]:
        """Makes a frozen dataclass. For type checkers, it takes ``Given`` and has ``Kept``."""
else:
    option_list = dataclasses.dataclass(frozen=True)


def options_of(cls: type) -> Dict[str, "Option[Any, Any]"]:
    """Returns the options of a list by their names, in order."""
    named = ((name, value) for base in reversed(cls.__mro__) for name, value in vars(base).items())
    return {name: value for name, value in named if isinstance(value, Option)}


def given_as(options: object, name: str) -> Any:
    """Returns what an option was given as, such as the path of a file whose content it keeps."""
    return vars(options).get("given", {}).get(name)


def from_command_line(cls: Callable[..., C], given: Mapping[str, Any]) -> C:
    """Makes the values of a list.

    Raises:
        UsageError: a value is wrong; the message names the option by its flag.
    """
    try:
        return cls(**given)
    except OptionError as error:
        raise UsageError(error.by_flags) from None


def _fail_on(default: str) -> "Option[str, str]":
    return Option(
        values.OneOf(*SEVERITIES),
        f"Fail if a finding is at least this severe: {values.either(SEVERITIES)}.",
        default=default,
        metavar="SEVERITY",
    )


@option_list
class CheckSpec:
    """What a check takes."""

    model_dir: Option[Path, str] = _model_dir(kw_only=False)
    target: Option[Optional[str], Optional[str]] = Option(
        lambda value: None if value is None else values.name("model_fn")(value),
        "module:attr or path/to/file.py:attr of a model_fn, an Estimator, or a function that "
        "returns one. Default: the one in the record of the checkpoint.",
        default=None,
        kw_only=False,
    )
    params: Option[Union[Mapping[str, Any], Path, None], Optional[Mapping[str, Any]]] = Option(
        values.params,
        "A JSON file with the params; - reads standard input. Default: those in the record of the "
        "checkpoint, if TARGET is the one in the record; else no params.",
        default=None,
        kw_only=False,
    )
    set: Option[Sequence[str], Tuple[str, ...]] = Option(
        values.overrides,
        "Override a param; key.sub=value sets a nested one.",
        default=(),
        metavar="KEY=VALUE",
    )
    modes: Option[Sequence[str], Tuple[str, ...]] = Option(
        values.modes,
        f"Check this mode: {values.either(ALL_MODES)}.",
        default=MODES,
        flag="--mode",
        metavar="MODE",
    )
    params_type: Option[str, str] = Option(
        values.name("make_params", "dict", "attr"),
        "What model_fn gets as params: dict (params['key']), attr (params.key), or what "
        "module:callable returns.",
        default="dict",
        metavar="TYPE",
    )
    flags: Option[Sequence[str], Tuple[str, ...]] = Option(
        values.texts,
        "The command-line flags that the code parses (absl, tf.flags).",
        default=(),
        flag="--",
        metavar="FLAGS",
    )
    input_fn: Option[str, str] = Option(
        lambda value: value and values.name("input_fn")(value),
        "Take the features and labels from this input_fn. Default: from the record of the "
        "checkpoint, or else from the saved graph.",
        default="",
        metavar="MODULE:ATTR",
    )
    features: Option[Union[Mapping[str, Any], Path, None], Optional[FeatureFile]] = Option(
        values.features,
        "Take the features and labels from this JSON file (docs/features.md).",
        default=None,
        metavar="FILE",
    )
    python: Option[Optional[Path], Optional[str]] = Option(
        values.python,
        "The path or the command of the Python that has TensorFlow. Default: the Python that runs "
        "ckptcheck if it has TensorFlow, or else that of the project's environment.",
        default=None,
        metavar="COMMAND",
    )
    env: Option[Sequence[str], Tuple[str, ...]] = Option(
        values.variables,
        "Set an environment variable for the code.",
        default=(),
        metavar="NAME=VALUE",
    )
    app_dir: Option[Path, str] = Option(
        values.folder,
        "Import TARGET from this directory. Default: the working directory.",
        default="",
        metavar="DIR",
    )
    behavior: Option[str, str] = Option(
        values.OneOf("auto", "v1", "v2"),
        "Create reference variables (v1) or resource variables (v2). auto creates the kind in the "
        "saved graph if the same major version of TensorFlow saved it, or else TensorFlow's "
        "default.",
        default="auto",
        metavar="KIND",
    )
    timeout: Option[Union[float, str], float] = Option(
        values.seconds,
        "The seconds that the check may take, not counting the import of TensorFlow and the "
        "reading of data.",
        default=DEFAULT_TIMEOUT,
        metavar="SECONDS",
    )
    memory_limit: Option[Union[int, str], int] = Option(
        values.size,
        "The memory that a mode may use in addition to the memory of TensorFlow itself, such as "
        "4G. ckptcheck stops a mode that uses more. Default: no limit.",
        default=0,
        metavar="SIZE",
    )
    fail_on: Option[str, str] = _fail_on("error")
    quiet: Option[bool, bool] = Option(
        values.switch, "Hide what the code prints.", default=True, short="-q"
    )
    deep: Option[bool, bool] = Option(
        values.switch,
        "Read all data of the checkpoint too, as ckptcheck verify does.",
        default=False,
    )

    def __post_init__(self) -> None:
        """Verifies that options do not exclude each other."""
        if self.input_fn and self.features is not None:
            named = options_of(CheckSpec)
            problem = " cannot be used together: give one of them"
            raise OptionError(named["input_fn"], " and ", named["features"], problem)


@option_list
class CachedCheckSpec(CheckSpec):
    """The options of a check whose traces can be kept in the cache."""

    cache_dir: Option[Path, str] = Option(
        values.path("the path of a directory"), _CACHE_DIR, default="", metavar="DIR"
    )
    no_cache: Option[bool, bool] = Option(
        values.switch,
        "Run the code even if nothing has changed since the last check, and keep nothing.",
        default=False,
    )


@option_list
class AgainstSpec(CachedCheckSpec):
    """What the command ``check`` takes: it can also compare the code with that at a revision."""

    model_dir: Option[Path, str] = _model_dir(kw_only=False, default="")
    against: Option[str, str] = Option(
        values.revision,
        "Check a checkpoint that the code at this git revision would save, instead of one in "
        "MODEL_DIR. If you give --input-fn or --features, you can leave out MODEL_DIR.",
        default="",
        metavar="REV",
    )

    def __post_init__(self) -> None:
        """Verifies that options do not exclude or lack each other."""
        super().__post_init__()
        named = options_of(AgainstSpec)
        if self.against and self.deep:
            problem = " cannot be used together: the code at a revision has no data to read"
            raise OptionError(named["against"], " and ", named["deep"], problem)
        if self.against and not self.model_dir and self.target is None:
            raise OptionError(
                named["against"],
                " needs TARGET if there is no MODEL_DIR with a record, such as "
                "ckptcheck --against HEAD models.net:model_fn params.json",
            )


@option_list
class SuiteSpec:
    """How the checks of a configuration are run."""

    config: Option[Path, str] = Option(
        values.path("a path"),
        "The configuration file. Default: the nearest ckptcheck.toml, or pyproject.toml with "
        "[tool.ckptcheck], in the working directory or above it.",
        default="",
        metavar="FILE",
    )
    jobs: Option[Union[int, str], int] = Option(
        values.count(256),
        "How many checks run at the same time. Default: one for every two processors.",
        default=0,
        metavar="N",
    )
    no_ignores: Option[bool, bool] = Option(
        values.switch,
        "Show all findings, with their own severities: do not apply the ignores, severities and "
        "baseline of the configuration.",
        default=False,
    )
    write_baseline: Option[bool, bool] = Option(
        values.switch,
        "Write the current findings into the baseline, which accepts them from now on.",
        default=False,
    )
    staged: Option[bool, bool] = Option(
        values.switch,
        "For a pre-commit hook: skip all configured checks if only documents and pictures are "
        "staged, and the cache shows that no check reads them.",
        default=False,
    )

    def __post_init__(self) -> None:
        """Verifies that options do not exclude each other."""
        named = options_of(SuiteSpec)
        if self.staged and self.write_baseline:
            problem = " cannot be used together: --staged may skip the checks"
            raise OptionError(named["staged"], " and ", named["write_baseline"], problem)
        if self.no_ignores and self.write_baseline:
            problem = (
                " cannot be used together: the baseline would also accept the findings that the "
                "ignores accept"
            )
            raise OptionError(named["no_ignores"], " and ", named["write_baseline"], problem)


@option_list
class CacheSpec:
    """What the command ``cache`` takes."""

    action: Option[str, str] = Option(
        values.OneOf("", "clear"),
        '"clear" removes all that is kept. Default: show what is kept.',
        default="",
        kw_only=False,
    )
    cache_dir: Option[Path, str] = Option(
        values.path("the path of a directory"), _CACHE_DIR, default="", metavar="DIR"
    )


@option_list
class RecordSpec(CheckSpec):
    """What writing a record takes."""

    model_dir: Option[Path, str] = _model_dir(kw_only=False, help=_LOCAL_MODEL_DIR)
    redact: Option[Sequence[str], Tuple[str, ...]] = Option(
        values.texts,
        "Leave the value of this param out of the record.",
        default=(),
        metavar="KEY",
    )
    force: Option[bool, bool] = Option(
        values.switch,
        "Write the record even if the code does not fit the checkpoint, differs from an existing "
        "record, or computes something else than the saved graph.",
        default=False,
    )


@option_list
class InspectSpec:
    """What an inspection takes."""

    model_dir: Option[Path, str] = _model_dir(kw_only=False)
    fail_on: Option[str, str] = _fail_on("error")


@option_list
class VerifySpec:
    """What a verification takes."""

    model_dir: Option[Path, str] = _model_dir(kw_only=False)
    all_checkpoints: Option[bool, bool] = Option(
        values.switch,
        "Verify every checkpoint in the directory, to find the last good one.",
        default=False,
    )
    fail_on: Option[str, str] = _fail_on("warning")


@option_list
class LintSpec:
    """What linting takes."""

    files: Option[Union[Path, Sequence[Path]], Tuple[str, ...]] = Option(
        values.paths,
        "Python files, and directories in which all Python files are linted. Default: the working "
        "directory.",
        default=(),
        metavar="FILES",
        kw_only=False,
    )
    exclude: Option[Sequence[str], Tuple[str, ...]] = Option(
        values.texts,
        "Leave out files and directories whose path or name matches this pattern, such as "
        "'*_pb2.py'.",
        default=(),
        metavar="PATTERN",
    )
    fail_on: Option[str, str] = _fail_on("warning")


@option_list
class SnapshotSpec:
    """What a snapshot takes."""

    model_dir: Option[Path, str] = _model_dir(kw_only=False)
    out: Option[Path, str] = Option(
        values.path("a path"), "The directory to write: a new one, or an empty one.", kw_only=False
    )
    force: Option[bool, bool] = Option(
        values.switch, "Replace OUT if it is a snapshot.", default=False
    )
