"""The command without a word of its own: ``ckptcheck MODEL_DIR TARGET``."""

import difflib
import os
import re
from typing import List, Optional

import typer

from .. import __version__
from ..checks import run_check
from ..errors import UsageError
from ..options import (
    DEFAULT_TIMEOUT,
    CheckSpec,
    read_feature_file,
    read_json_object,
    seconds,
    size,
    verify_choices,
    with_overrides,
)
from ..output import write_out
from ..protocol import MODES
from ..reporters import formats, render
from ..rules import all_rules
from .progress import Bar
from .terminal import FORMAT, fail_on_option, finish, new_app, of_terminal

_HELP = """Says what restoring a checkpoint into Estimator code will do, before it is tried.

MODEL_DIR is a model_dir, a checkpoint's prefix (runs/base/model.ckpt-1000) or one of its files.

TARGET is module:attr or path/to/file.py:attr: a model_fn, an Estimator, or a factory of one.

PARAMS is a JSON file with the params, - for standard input; without it params are {}.

What stands after -- is the command line that the code's own flags (absl, tf.flags) are parsed
from.

Commands for the files alone, without TensorFlow: ckptcheck inspect MODEL_DIR, ckptcheck verify
MODEL_DIR, ckptcheck snapshot MODEL_DIR OUT; each has a --help of its own.

Exit codes: 0 consistent; 1 findings; 2 asked wrongly; 3 nothing to check.
"""

app = new_app()


def _version(value: bool) -> None:
    if value:
        write_out(f"ckptcheck {__version__}\n")
        raise typer.Exit()


def _list_rules(value: bool) -> None:
    if value:
        rules = all_rules().values()
        write_out("".join(f"{rule.id:26} {rule.severity:8} {rule.summary}\n" for rule in rules))
        raise typer.Exit()


def _explain(value: Optional[str]) -> None:
    if value is None:
        return
    rules = all_rules()
    if value not in rules:
        near = difflib.get_close_matches(value, rules, 1)
        meant = f"did you mean {near[0]}? " if near else ""
        raise UsageError(
            f"--explain {value}: no such rule; {meant}ckptcheck --list-rules lists them"
        )
    rule = rules[value]
    write_out(f"{rule.id} ({rule.severity})\n\n{rule.explanation}\n")
    raise typer.Exit()


_NAME = re.compile(r"[\w./-]+:[A-Za-z_][\w.]*")
"""What only a TARGET looks like."""


def _verify_order(model_dir: str, target: str, params: Optional[str]) -> None:
    """Notices arguments in another order, whose own errors would lead astray.

    Raises:
        UsageError: one of them can only be another.
    """
    problem = ""
    if os.path.isdir(target):
        problem = f"TARGET {target} is a directory"
    elif params and os.path.isdir(params):
        problem = f"PARAMS {params} is a directory"
    elif params and _NAME.fullmatch(params) and not os.path.exists(params):
        problem = f"PARAMS {params} looks like a TARGET, not a params file"
    elif _NAME.fullmatch(model_dir) and not _is_there(model_dir):
        problem = f"MODEL_DIR {model_dir} looks like a TARGET, not a directory"
    if problem:
        raise UsageError(
            f"{problem}: expected MODEL_DIR TARGET PARAMS, in this order, such as "
            "ckptcheck runs/base models.net:model_fn params.json"
        )


def _is_there(model_dir: str) -> bool:
    """Whether there is a file or directory of this name, or a checkpoint."""
    return os.path.exists(model_dir) or os.path.exists(model_dir + ".index")


@app.command(help=_HELP)
def check(
    context: typer.Context,
    model_dir: str = typer.Argument(..., metavar="MODEL_DIR", show_default=False),
    target: str = typer.Argument(..., metavar="TARGET", show_default=False),
    params: Optional[str] = typer.Argument(None, metavar="PARAMS", show_default=False),
    modes: List[str] = typer.Option(
        list(MODES),
        "--mode",
        metavar="MODE",
        help="Check this mode (predict, eval, train or export); repeatable.",
    ),
    overrides: List[str] = typer.Option(
        [], "--set", metavar="KEY=VALUE", help="Override a param; key.sub=value goes deeper."
    ),
    params_type: str = typer.Option(
        "dict",
        metavar="TYPE",
        help="What model_fn gets as params: dict, attr (params.key), or module:callable.",
    ),
    input_fn: str = typer.Option(
        "", metavar="MODULE:ATTR", help="Call this input_fn for the features."
    ),
    features: Optional[str] = typer.Option(
        None, metavar="FILE", help="Take the features from this JSON file (docs/features.md)."
    ),
    python: Optional[str] = typer.Option(
        None, metavar="COMMAND", help="The Python that has TensorFlow; default: this one."
    ),
    app_dir: str = typer.Option(
        "", metavar="DIR", help="Import TARGET from here; default: the working directory."
    ),
    behavior: str = typer.Option(
        "auto",
        metavar="KIND",
        help="Reference (v1) or resource (v2) variables; auto: as the saved graph shows.",
    ),
    timeout: str = typer.Option(
        f"{DEFAULT_TIMEOUT:g}", metavar="SECONDS", help="Seconds that each mode may take."
    ),
    memory_limit: Optional[str] = typer.Option(
        None, metavar="SIZE", help="Memory that each mode may take, such as 4G; default: no limit."
    ),
    output: str = FORMAT,
    show_plan: bool = typer.Option(False, "--show-plan", help="Show all that is restored."),
    fail_on: str = fail_on_option("error"),
    quiet: bool = typer.Option(False, "--quiet", "-q", help="Hide what the code prints."),
    deep: bool = typer.Option(
        False, "--deep", help="Read all data of the checkpoint too, as ckptcheck verify does."
    ),
    explain: Optional[str] = typer.Option(
        None, metavar="RULE", callback=_explain, is_eager=True, help="Explain a rule and exit."
    ),
    list_rules: bool = typer.Option(
        False, "--list-rules", callback=_list_rules, is_eager=True, help="List the rules and exit."
    ),
    version: bool = typer.Option(
        False, "--version", callback=_version, is_eager=True, help="Show the version and exit."
    ),
) -> None:
    """Checks one checkpoint against one model_fn."""
    verify_choices("--format", (output,), tuple(formats()))
    _verify_order(model_dir, target, params)
    values = {} if params is None else read_json_object(params, "PARAMS")
    spec = CheckSpec(
        model_dir=model_dir,
        target=target,
        params=with_overrides(values, overrides),
        modes=tuple(modes),
        python=python,
        app_dir=app_dir,
        params_type=params_type,
        flags=context.obj,
        input_fn=input_fn,
        features=None if features is None else read_feature_file(features),
        behavior=behavior,
        timeout=seconds("--timeout", timeout),
        memory_limit=size("--memory-limit", memory_limit) if memory_limit is not None else 0,
        fail_on=fail_on,
        quiet=quiet,
        deep=deep,
    )
    with Bar() as bar:
        report = run_check(spec, progress=bar.show)
    finish(render(report, output, of_terminal(show_plan=show_plan)), report)
