"""One check from start to end, and the Python API's :func:`check`."""

import dataclasses
import os
from typing import Any, List, Mapping, Optional, Sequence, Tuple, Union

from .advice import with_advice
from .checkpoint.bundle import differences
from .checkpoint.examine import Examined, examine
from .checkpoint.locate import locate
from .checkpoint.remote import AtHand, at_hand
from .client.process import Tracer
from .client.tracing import trace_check
from .config import DEFAULT_TIMEOUT, SEVERITIES, CheckSpec, FeatureFile, read_feature_file
from .config import read_json_object as _read_json_object
from .errors import UsageError
from .groups import group
from .rules import Facts, run_rules
from .spec import MODES, CheckpointIndex, Finding, Located, Report, TensorScan
from .verdicts import verdicts


def check(
    model_dir: Union[str, "os.PathLike[str]"],
    target: str,
    params: Union[Mapping[str, Any], str, "os.PathLike[str]", None] = None,
    *,
    modes: Sequence[str] = MODES,
    python: Optional[str] = None,
    app_dir: str = "",
    params_type: str = "dict",
    flags: Sequence[str] = (),
    input_fn: str = "",
    features: Union[FeatureFile, str, "os.PathLike[str]", None] = None,
    behavior: str = "auto",
    timeout: float = DEFAULT_TIMEOUT,
    fail_on: str = "error",
    quiet: bool = True,
    deep: bool = False,
) -> Report:
    """Says what restoring a checkpoint into a model_fn will do, before it is tried.

    Args:
        model_dir: a model_dir, a checkpoint's prefix, or one of its files.
        target: ``module:attr`` or ``path/to/file.py:attr`` of a model_fn, an Estimator, or a
            factory of one.
        params: the params, or the path of a JSON file with them.
        modes: which of ``predict``, ``eval`` and ``train`` to check.
        python: the command of the interpreter that has TensorFlow; by default this one.
        app_dir: the directory that the target is imported from; by default the working directory.
        params_type: ``dict``, ``attr`` (``params.key``), or ``module:callable``.
        flags: the command line flags that the code parses with absl or tf.flags.
        input_fn: ``module:input_fn`` that gives the features; by default they are found in the
            saved graph.
        features: the path of a features file, as docs/features.md describes it.
        behavior: ``v1`` (reference variables), ``v2`` (resource variables), or ``auto``.
        timeout: seconds for each mode.
        fail_on: the severity from which on the report is not ok.
        quiet: does not show on standard error what the traced code prints.
        deep: reads all data of the checkpoint too: checksums, NaN, weights that are constant.

    Returns:
        The report; ``report.ok`` says whether the check passed.

    Raises:
        UsageError: something that was asked for is not there, or not as expected.
    """
    if isinstance(params, (str, os.PathLike)):
        params = _read_json_object(os.fspath(params), "params")
    if isinstance(features, (str, os.PathLike)):
        features = read_feature_file(os.fspath(features))
    spec = CheckSpec(
        model_dir=os.fspath(model_dir),
        target=target,
        params=params or {},
        modes=tuple(modes),
        python=python,
        app_dir=app_dir,
        params_type=params_type,
        flags=tuple(flags),
        input_fn=input_fn,
        features=features,
        behavior=behavior,
        timeout=timeout,
        fail_on=fail_on,
        quiet=quiet,
        deep=deep,
    )
    return run_check(spec)


def run_check(spec: CheckSpec) -> Report:
    """Runs one check.

    Raises:
        UsageError: see :func:`check`.
    """
    with at_hand(spec.model_dir) as place:
        report = _run(spec, place)
    if report.checkpoint is None:
        return report
    prefix = place.shown(report.checkpoint.prefix)
    index = dataclasses.replace(report.checkpoint, prefix=prefix)
    return dataclasses.replace(report, checkpoint=index)


def _run(spec: CheckSpec, place: AtHand) -> Report:
    located = locate(place.path)
    if not located.prefix:
        facts = Facts(located, spec.modes)
        return _report(spec, facts, ("the model: there is no checkpoint to restore",))
    examined = examine(located.prefix) if located.exists else Examined()
    scans = _scans(spec, examined, place)
    with Tracer(spec.python, spec.timeout, spec.quiet) as tracer:
        facts, not_judged = _facts(spec, located, examined, tracer)
        facts = dataclasses.replace(facts, scans=scans)
        if place.read is None:
            not_judged = (*not_judged, *_without_data(examined))
        report = _report(spec, facts, not_judged)

        def try_params(params: Mapping[str, Any]) -> Optional[Report]:
            other = dataclasses.replace(spec, params=params)
            try:
                tried, doubts = _facts(other, located, examined, tracer)
            except UsageError:  # with these params there is not even a model_fn: no advice
                return None
            return _report(other, dataclasses.replace(tried, scans=scans), doubts)

        return with_advice(spec.params, facts, report, try_params)


def _report(spec: CheckSpec, facts: Facts, not_judged: Tuple[str, ...]) -> Report:
    findings = run_rules(facts)
    checked = bool(facts.located.prefix or facts.located.candidates)
    return Report(
        ok=checked and not _failing(findings, spec.fail_on),
        checked=checked,
        target=spec.target,
        model_dir=spec.model_dir,
        checkpoint=facts.index,
        trace=facts.trace,
        verdicts=verdicts(spec.modes, findings, facts.trace) if checked else (),
        groups=group(findings),
        not_judged=not_judged,
    )


def _facts(
    spec: CheckSpec, located: Located, examined: Examined, tracer: Tracer
) -> Tuple[Facts, Tuple[str, ...]]:
    if not located.exists:  # nothing to trace; what happens depends on the version of TensorFlow
        version = tracer.hello().tensorflow
        facts = Facts(located, spec.modes, tensorflow=version)
        return facts, ("the model: the checkpoint that the state file names is not there",)
    bundle = examined.bundle
    traced = trace_check(spec, located, tracer, bundle.checkpoint_index() if bundle else None)
    facts = Facts(
        located=located,
        modes=spec.modes,
        tensorflow=tracer.hello().tensorflow,
        index=traced.index,
        unreadable=traced.unreadable,
        trace=traced.trace,
        params=spec.params,
        files=examined.files,
        disagreement=_disagreement(examined, traced.listed),
    )
    return facts, traced.not_judged


def _scans(spec: CheckSpec, examined: Examined, place: AtHand) -> Optional[Tuple[TensorScan, ...]]:
    """What is in the data, where it was asked for and is there."""
    snapshot = examined.files is not None and examined.files.snapshot
    if not spec.deep or examined.bundle is None or (snapshot and place.read is None):
        return None
    from .checkpoint.deep import scan  # only this needs numpy

    return scan(examined.bundle, read=place.read)


def _disagreement(examined: Examined, listed: Optional[CheckpointIndex]) -> str:
    """Where ckptcheck's reader and TensorFlow's differ, which must not be."""
    if listed is None or examined.first_version:
        return ""
    if examined.bundle is None:
        return f"TensorFlow lists the checkpoint, and ckptcheck does not: {examined.problem}"
    return differences(examined.bundle.checkpoint_index(), listed)


def _without_data(examined: Examined) -> Tuple[str, ...]:
    snapshot = examined.files is not None and examined.files.snapshot
    return ("the data files: this is a snapshot, which has none",) if snapshot else ()


def _failing(findings: Sequence[Finding], fail_on: str) -> List[Finding]:
    least = SEVERITIES.index(fail_on)
    return [finding for finding in findings if SEVERITIES.index(finding.severity) >= least]
