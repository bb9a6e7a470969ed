"""Every option once: its name, types, default, help text and validation.

The command line and the Python API are made from the lists below. To add an option to a command,
add one entry to the command's list.
"""

import dataclasses
import os
from typing import (
    TYPE_CHECKING,
    Any,
    Callable,
    Dict,
    Generic,
    Mapping,
    Optional,
    Sequence,
    Tuple,
    Type,
    TypeVar,
    Union,
    overload,
)

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

_REQUIRED: Any = object()


class Option(Generic[Given, Kept]):
    """One option: a field of a list that takes ``Given`` and keeps ``Kept``.

    Attributes:
        name: the keyword in Python and in a configuration.
        takes: the type ``Given``.
        flag: the flag on the command line; a word without dashes is a positional argument.
        help: one sentence for the command line's help and the docstring.
        read: returns the value to keep, or raises a :class:`UsageError` without the name.
        default: what the option takes where it is not given.
        metavar: what stands for the value in the command line's help.
        short: a second flag.
    """

    def __init__(
        self,
        *,
        flag: str,
        help: str,
        read: Callable[[Any], Kept],
        default: Given = _REQUIRED,
        metavar: str = "",
        short: str = "",
        kw_only: bool = True,
    ) -> None:
        self.name = ""
        self.takes: Any = None
        self.flag = flag
        self.help = help
        self.read = read
        self.default = default
        self.metavar = metavar or flag
        self.short = short
        self.kw_only = kw_only

    @property
    def required(self) -> bool:
        """Whether there is no default."""
        return self.default is _REQUIRED

    def __set_name__(self, owner: type, name: str) -> None:
        self.name = name
        self.takes = owner.__annotations__[name].__args__[0]

    @overload
    def __get__(self, instance: None, owner: type) -> Given: ...

    @overload
    def __get__(self, instance: object, owner: type) -> Kept: ...

    def __get__(self, instance: Optional[object], owner: type) -> Union[Given, Kept]:
        """Returns the kept value; of the class the default, where dataclasses look for it."""
        if instance is not None:
            kept: Kept = instance.__dict__[self.name]
            return kept
        if self.required:
            raise AttributeError(self.name)
        return self.default

    def __set__(self, instance: object, value: Given) -> None:
        instance.__dict__[self.name] = self.kept(value)

    def kept(self, value: Any) -> Kept:
        """Returns what the option keeps of a value.

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
    """

    def __init__(self, *parts: "Union[str, Option[Any, Any]]") -> None:
        super().__init__("".join(p if isinstance(p, str) else p.name for p in parts))
        self.by_flags = "".join(p if isinstance(p, str) else p.flag for p in parts)


def _model_dir(*, kw_only: bool) -> Option[Path, str]:
    return Option(
        flag="MODEL_DIR",
        help="A model_dir, the prefix of a checkpoint (runs/base/model.ckpt-1000), or one of its "
        "files. It may be remote, such as gs://bucket/runs/base.",
        read=values.path("a path"),
        kw_only=kw_only,
    )


if TYPE_CHECKING:
    from typing_extensions import dataclass_transform

    @dataclass_transform(
        frozen_default=True, kw_only_default=True, field_specifiers=(Option, _model_dir)
    )
    def option_list(cls: Type[C]) -> Type[C]:
        """Type checkers see a frozen dataclass that takes ``Given`` and has ``Kept``."""
else:
    option_list = dataclasses.dataclass(frozen=True)


def options_of(cls: type) -> Dict[str, "Option[Any, Any]"]:
    """Returns the options of a list by their names, in order."""
    return {name: option for name, option in vars(cls).items() if isinstance(option, Option)}


def from_command_line(cls: Callable[..., C], given: Mapping[str, Any]) -> C:
    """Makes the values of a list.

    Raises:
        UsageError: a value is wrong; the message names the option by its flag.
    """
    try:
        return cls(**given)
    except OptionError as error:
        raise UsageError(error.by_flags) from None


# --- Options of several commands -------------------------------------------------------------


def _fail_on(default: str) -> "Option[str, str]":
    return Option(
        default=default,
        flag="--fail-on",
        metavar="SEVERITY",
        help=f"Fail if a finding is this severe or more: {values.either(SEVERITIES)}.",
        read=values.one_of(*SEVERITIES),
    )


# --- The lists -------------------------------------------------------------------------------


@option_list
class CheckSpec:
    """What a check takes."""

    model_dir: Option[Path, str] = _model_dir(kw_only=False)
    target: Option[str, str] = Option(
        flag="TARGET",
        help="module:attr or path/to/file.py:attr of a model_fn, an Estimator, or a factory of "
        "one.",
        read=values.name("model_fn"),
        kw_only=False,
    )
    params: Option[Union[Mapping[str, Any], Path, None], Mapping[str, Any]] = Option(
        default=None,
        flag="PARAMS",
        help="A JSON file with the params, - for standard input. Default: no params.",
        read=values.params,
        kw_only=False,
    )
    modes: Option[Sequence[str], Tuple[str, ...]] = Option(
        default=MODES,
        flag="--mode",
        metavar="MODE",
        help=f"Check this mode: {values.either(ALL_MODES)}. Repeatable.",
        read=values.modes,
    )
    params_type: Option[str, str] = Option(
        default="dict",
        flag="--params-type",
        metavar="TYPE",
        help="What model_fn gets as params: dict, attr (params.key), or module:callable.",
        read=values.name("make_params", "dict", "attr"),
    )
    flags: Option[Sequence[str], Tuple[str, ...]] = Option(
        default=(),
        flag="--",
        metavar="FLAGS",
        help="The command line that the code parses its flags from (absl, tf.flags).",
        read=values.texts,
    )
    input_fn: Option[str, str] = Option(
        default="",
        flag="--input-fn",
        metavar="MODULE:ATTR",
        help="Take the features from this input_fn. Default: from the saved graph.",
        read=lambda value: value and values.name("input_fn")(value),
    )
    features: Option[Union[Mapping[str, Any], Path, None], Optional[FeatureFile]] = Option(
        default=None,
        flag="--features",
        metavar="FILE",
        help="Take the features from this JSON file (docs/features.md).",
        read=values.features,
    )
    python: Option[Optional[Path], Optional[str]] = Option(
        default=None,
        flag="--python",
        metavar="COMMAND",
        help="The path or the command of the Python that has TensorFlow. Default: this Python.",
        read=values.python,
    )
    app_dir: Option[Path, str] = Option(
        default="",
        flag="--app-dir",
        metavar="DIR",
        help="Import TARGET from this directory. Default: the working directory.",
        read=values.folder,
    )
    behavior: Option[str, str] = Option(
        default="auto",
        flag="--behavior",
        metavar="KIND",
        help="Make reference variables (v1) or resource variables (v2); auto makes those of the "
        "saved graph.",
        read=values.one_of("auto", "v1", "v2"),
    )
    timeout: Option[Union[float, str], float] = Option(
        default=DEFAULT_TIMEOUT,
        flag="--timeout",
        metavar="SECONDS",
        help="Stop a mode that takes longer.",
        read=values.seconds,
    )
    memory_limit: Option[Union[int, str], int] = Option(
        default=0,
        flag="--memory-limit",
        metavar="SIZE",
        help="Stop a mode that takes more memory, such as 4G. Default: no limit.",
        read=values.size,
    )
    fail_on: Option[str, str] = _fail_on("error")
    quiet: Option[bool, bool] = Option(
        default=True,
        flag="--quiet",
        short="-q",
        help="Hide what the code prints.",
        read=values.switch,
    )
    deep: Option[bool, bool] = Option(
        default=False,
        flag="--deep",
        help="Read all data of the checkpoint too, as ckptcheck verify does.",
        read=values.switch,
    )

    def __post_init__(self) -> None:
        """Verifies what options say together."""
        if self.input_fn and self.features is not None:
            named = options_of(CheckSpec)
            raise OptionError(
                *(named["input_fn"], " and ", named["features"]),
                " exclude each other: give one of them",
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
        default=False,
        flag="--all-checkpoints",
        help="Verify every checkpoint of the directory, to find the last good one.",
        read=values.switch,
    )
    fail_on: Option[str, str] = _fail_on("warning")


@option_list
class SnapshotSpec:
    """What a snapshot takes."""

    model_dir: Option[Path, str] = _model_dir(kw_only=False)
    out: Option[Path, str] = Option(
        flag="OUT",
        help="The directory to write: a new one, or an empty one.",
        read=values.path("a path"),
        kw_only=False,
    )
