"""Runs ``ckptcheck check`` after its command line was parsed. It does not import the parser."""

import os
import types
from typing import (
    Any,
    Callable,
    Dict,
    Iterable,
    Iterator,
    List,
    Mapping,
    NamedTuple,
    Optional,
    Sequence,
    Tuple,
)

from ..baseline import DEFAULT_FILE
from ..cache.kept import cache_of
from ..checks import run_check
from ..config.moving import moved
from ..config.reading import find_document, read_configuration
from ..config.toml_file import Document
from ..config.value import Configuration, layered
from ..errors import PythonError, UsageError
from ..exit_codes import EXIT_OK
from ..ignores import names_of
from ..option_values import looks_like_target
from ..options import AgainstSpec, SuiteSpec, from_command_line, options_of
from ..policy import judged, policy_of
from ..runs import Runs
from ..sanitize import printable
from ..staged import staged_documents
from .hints import EXPECTED, looks_like_place, no_check, verify_order
from .outputs import files_of, verify_outputs
from .progress import Bar, Status
from .terminal import emit, exit_code, tell

AUDIBLE = types.MappingProxyType({"quiet": False})
"""The defaults of the command line that differ from those of the Python API."""
_PLACES = ("model_dir", "target", "params")

Say = Callable[[str], object]


class Arguments(NamedTuple):
    """A parsed command line.

    Attributes:
        given: the options that the user gave.
        more: the words after MODEL_DIR, TARGET and PARAMS.
        output: the format of the report.
        files: formats for files, each as ``FORMAT=FILE``.
        show_plan: whether to list everything that each mode restores.
        show_drift: whether to list all nodes that differ.
        verbose: whether to say how the cache was used.
    """

    given: Mapping[str, Any]
    more: Sequence[str] = ()
    output: str = "text"
    files: Sequence[str] = ()
    show_plan: bool = False
    show_drift: bool = False
    verbose: bool = False


def check(arguments: Arguments, flags: Sequence[str]) -> int:
    """Runs the command, prints its report, and returns its exit code.

    Raises:
        UsageError: something that the command needs is missing or invalid.
    """
    options = from_command_line(SuiteSpec, _of_list(arguments.given, SuiteSpec))
    given = _of_list(arguments.given, AgainstSpec)
    given.update({"flags": flags} if flags else {})
    files = [_absolute(item) for item in arguments.files]  # a configured check changes directory
    words = [*(given[name] for name in _PLACES if name in given), *arguments.more]
    if given.get("against") and words and looks_like_target(words[0]):
        words.insert(0, "")  # MODEL_DIR
        given.update(zip(_PLACES, words))
    said: List[str] = []
    document = find_document(options.config)
    are_names = _are_names(words, document)
    if options.staged and not are_names:
        raise UsageError(
            "--staged is for configured checks: leave out MODEL_DIR, TARGET and PARAMS, or leave "
            "out --staged"
        )
    with Bar() as bar, Status() as status:
        if are_names:
            found = _configured(words, document, options, given, files, status, said.append)
            if found is None:
                return EXIT_OK
        else:
            configuration = read_configuration(document, ())
            _verify_outputs(files, configuration, [layered(configuration.defaults, given)])
            found = _single(given, configuration, options, bar, status, said.append)
    for text in said if arguments.verbose else ():
        tell(f"ckptcheck: {printable(text, 2000)}\n")
    if found.written:
        tell(f"ckptcheck: {printable(found.written, 2000)}\n")
    form = {"show_plan": arguments.show_plan, "show_drift": arguments.show_drift}
    emit(found, arguments.output, files, **form)
    return exit_code(found)


def _absolute(output: str) -> str:
    name, _, path = output.partition("=")
    return f"{name}={os.path.abspath(path)}"


def _of_list(given: Mapping[str, Any], cls: type) -> Dict[str, Any]:
    """Returns the options of a list among those that were given."""
    return {name: value for name, value in given.items() if name in options_of(cls)}


def _are_names(words: Sequence[str], document: Document) -> bool:
    """Whether all words are names of configured checks. Without words, all checks are meant.

    Raises:
        UsageError: there are too many words; there are none, and no checks are configured; or a
            word can only be a misspelled name.
    """
    if not words and not document.table.get("check"):
        where = f"{document.file} has no [[check]]" if document.file else ""
        problem = where or "there is no configuration (ckptcheck init writes one)"
        configured = f"Without arguments, configured checks run, but {problem}"
        raise UsageError(f"{EXPECTED}. {configured}. For help: ckptcheck --help")
    unknown = [word for word in words if set(names_of(word)).isdisjoint(document.names)]
    if not unknown:
        return True
    if document.names and not any(looks_like_place(word) for word in unknown):
        raise no_check(unknown[0], document.names, document.file)
    if len(words) > len(_PLACES):
        extra = words[len(_PLACES)]
        raise UsageError(f"unexpected argument {extra}: {EXPECTED}")
    return False


def _configured(
    names: Sequence[str],
    document: Document,
    options: SuiteSpec,
    given: Mapping[str, Any],
    files: Sequence[str],
    status: Status,
    say_cache: Say,
) -> Optional[Runs]:
    """Runs configured checks in the directory of their configuration.

    Returns:
        The results; None if no check has to run for the commit.
    """
    from ..suite import chosen, may_skip, run_suite  # a single check does not need it

    staged = staged_documents() if options.staged else []
    others = {name: value for name, value in given.items() if name not in _PLACES}
    root = os.path.dirname(document.file)
    if not os.path.samefile(root, os.curdir):  # its paths are relative to root
        from_root = lambda path: os.path.relpath(path, root)  # noqa: E731
        others = {name: moved(name, value, from_root) for name, value in others.items()}
        os.chdir(root)
    tables = {table for name in names for table in names_of(name)}
    configuration = read_configuration(document, tables if names else None)
    checks = chosen(configuration, names)
    every = [layered(configuration.defaults, check.options, others) for check in checks]
    _verify_outputs(files, configuration, every)
    named = {os.path.realpath(path) for given in every for path, _ in files_of(given)}
    if (
        staged
        and named.isdisjoint(map(os.path.realpath, staged))
        and may_skip(configuration, checks, others, staged)
    ):
        tell(_SKIPPED.format(_some(staged)))
        return None
    return run_suite(configuration, checks, options, others, status.say, say_cache)


_SKIPPED = (
    "ckptcheck: skipped all checks: only documents and pictures are staged ({}), and no check "
    "depends on them\n"
)


def _some(paths: Sequence[str]) -> str:
    others = f" and {len(paths) - 1} more" if len(paths) > 1 else ""
    return f"{printable(os.path.relpath(paths[0]), 200)}{others}"


def _verify_outputs(
    files: Sequence[str], configuration: Configuration, checks: Iterable[Mapping[str, Any]]
) -> None:
    """Refuses outputs that would replace a file of the checks or of the configuration."""

    def find() -> Iterator[Tuple[str, str]]:
        if configuration.file:
            yield configuration.file, "the configuration"
        name = configuration.baseline or DEFAULT_FILE
        yield os.path.join(configuration.root, name), "the baseline"
        for options in checks:
            yield from files_of(options)

    verify_outputs(files, find)


def _single(
    given: Mapping[str, Any],
    configuration: Configuration,
    options: SuiteSpec,
    bar: Bar,
    status: Status,
    say_cache: Say,
) -> Runs:
    """Runs the check of the command line, with the defaults and the policy of the project."""
    if options.write_baseline:
        raise UsageError(
            "--write-baseline needs configured checks, because the baseline stores findings by the "
            "name of the check"
        )
    verify_order(given)
    spec = from_command_line(AgainstSpec, layered(AUDIBLE, configuration.defaults, given))
    cache = cache_of(spec, lambda text: say_cache(f"cache: {text}"))
    try:
        report = run_check(spec, progress=bar.show, say=status.say, cache=cache)
    except PythonError as error:
        raise error.at("" if "python" in given else configuration.python_at) from None
    if not options.no_ignores:
        report = judged(report, policy_of(configuration, "", {}), spec.fail_on).report
    return Runs.of(report)
