"""``--format json``: version 1 of the format that docs/json.md describes."""

import json
from typing import Any, Dict, Optional

from ..protocol import VariableSpec, to_json
from ..results import Advice, Finding, Group, Report, Verdict
from .options import Options

VERSION = 1


def render(report: Report, options: Options) -> str:
    """The report as JSON, one document; ``show_plan`` adds the plans."""
    document = as_json(report)
    if options.show_plan and report.trace is not None:
        document["plans"] = to_json(report.trace.plans)
    return json.dumps(document, indent=1) + "\n"  # ASCII


def as_json(report: Report) -> Dict[str, Any]:
    """The report as values that :mod:`json` writes."""
    return {
        "version": VERSION,
        "ok": report.ok,
        "target": report.target,
        "checkpoint": _checkpoint(report),
        "environment": _environment(report),
        "features": _features(report),
        "modes": {verdict.mode: _verdict(verdict) for verdict in report.verdicts},
        "findings": [_finding(finding) for finding in report.findings],
        "groups": [_group(item) for item in report.groups],
        "not_judged": list(report.not_judged),
    }


def _checkpoint(report: Report) -> Dict[str, Any]:
    index = report.checkpoint
    return {
        "model_dir": report.model_dir,
        "prefix": index.prefix if index else None,
        "step": index.step if index else None,
        "variables": len(index.variables) if index else None,
        "data": to_json(report.data),
    }


def _environment(report: Report) -> Optional[Dict[str, Any]]:
    if report.trace is None:
        return None
    environment, launch = report.trace.environment, report.trace.launch
    return {
        "tensorflow": environment.tensorflow,
        "python": environment.python,
        "tf_api": environment.tf_api,
        "stand_ins": list(environment.stand_ins),
        "behavior": launch.behavior,
        "behavior_reason": launch.reason,
    }


def _features(report: Report) -> Optional[Dict[str, Any]]:
    if report.trace is None:
        return None
    features = report.trace.features
    return {"source": features.source, "spec": features.spec, "labels": features.labels}


def _verdict(verdict: Verdict) -> Dict[str, Any]:
    at = {"at": verdict.at} if verdict.at else {}
    return {"verdict": verdict.verdict, **at, "reads": verdict.reads}


def _finding(finding: Finding) -> Dict[str, Any]:
    return {
        "key": finding.key,
        "rule": finding.rule,
        "severity": finding.severity,
        "modes": sorted(finding.modes),
        "variable": finding.variable or None,
        "checkpoint": _spec(finding.checkpoint),
        "model": _spec(finding.model),
        "message": finding.message,
        "location": to_json(finding.location) if finding.location else None,
        "outcomes": {
            mode: {"verdict": outcome.verdict, "at": outcome.at}
            for mode, outcome in finding.outcomes.items()
        },
        "detail": list(finding.detail),
        "hint": finding.hint,
    }


def _spec(spec: Optional[VariableSpec]) -> Optional[Dict[str, Any]]:
    if spec is None:
        return None
    return {"shape": to_json(spec.shape), "dtype": spec.dtype}


def _group(item: Group) -> Dict[str, Any]:
    return {
        "title": item.title,
        "keys": [finding.key for finding in item.findings],
        "advice": [_advice(advice) for advice in item.advice],
    }


def _advice(advice: Advice) -> Dict[str, Any]:
    return {
        "kind": advice.kind,
        "text": advice.text,
        "set": to_json(advice.set),
        "verified": advice.verified,
    }
