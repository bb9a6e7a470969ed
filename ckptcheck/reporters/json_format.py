"""``--format json``: version 1 of the format that docs/json.md describes."""

import json
from typing import Any, Dict, Optional, Sequence

from ..changes import UNKNOWN
from ..codec import to_json
from ..protocol import VariableSpec
from ..results import CHECK, INSPECT, LINT, VERIFY, Finding, Group, Report, Verdict, Verified
from ..runs import Run, Runs
from .options import Options

FORMAT = "json"
VERSION = 1


def render(runs: Runs, options: Options) -> str:
    """Returns a JSON document: a report, or the reports of all checks by name."""
    return json.dumps(_document(runs, options), indent=1) + "\n"  # ASCII


def _document(runs: Runs, options: Options) -> Dict[str, Any]:
    if runs.single is not None:
        return as_json(runs.single, options)
    return {
        "version": VERSION,
        "ok": runs.ok,
        "checks": [_run(run, options) for run in runs.runs],
        **_found(runs.groups),
    }


def _run(run: Run, options: Options) -> Dict[str, Any]:
    return {
        "name": run.name,
        "ok": run.ok,
        "problem": run.problem or None,
        "skipped": run.skipped or None,
        "report": as_json(run.report, options) if run.report else None,
    }


def as_json(report: Report, options: Options) -> Dict[str, Any]:
    """Returns a report as values of JSON; ``show_plan`` and ``show_drift`` add parts."""
    sections = {CHECK: _check, INSPECT: _inspection, VERIFY: _verification, LINT: _lint}
    document: Dict[str, Any] = {
        "version": VERSION,
        "command": report.command,
        "ok": report.ok,
        **(sections[report.command](report) if report.command in sections else {}),
        **_found(report.all_groups),
        "not_judged": list(report.not_judged),
        **_accepted(report),
    }
    if options.show_plan and report.trace is not None:
        document["plans"] = to_json(report.trace.plans)
    if options.show_drift:
        document["drift"] = [
            {"change": c.text, "old": c.old, "new": c.new} for c in report.drift.changes
        ]
    return document


def _check(report: Report) -> Dict[str, Any]:
    index, trace = report.checkpoint, report.trace
    environment = None
    if trace is not None:
        environment = {
            "tensorflow": trace.environment.tensorflow,
            "python": trace.environment.python,
            "tf_api": trace.environment.tf_api,
            "stand_ins": list(trace.environment.stand_ins),
            "behavior": trace.launch.behavior,
            "behavior_reason": trace.launch.reason,
        }
    return {
        "target": report.target,
        "checkpoint": {
            "model_dir": report.model_dir or None,
            "prefix": (index.prefix or None) if index else None,
            "step": index.step if index else None,
            "variables": len(index.variables) if index else None,
            "data": to_json(report.data),
            **({"against": to_json(report.against)} if report.against else {}),
        },
        "environment": environment,
        "features": to_json(trace.features) if trace else None,
        "record": to_json(report.record),
        "modes": {verdict.mode: _verdict(report, verdict) for verdict in report.verdicts},
    }


def _verdict(report: Report, verdict: Verdict) -> Dict[str, Any]:
    at = {"at": verdict.at} if verdict.at else {}
    drift = report.drift.states.get(verdict.mode, UNKNOWN)
    limits = {"fails_where": to_json(verdict.data_limits)} if verdict.data_limits else {}
    return {"verdict": verdict.verdict, **at, "reads": verdict.reads, "drift": drift, **limits}


def _inspection(report: Report) -> Dict[str, Any]:
    found = report.contents
    return {
        "model_dir": report.model_dir,
        "why": report.why,
        "checkpoints": to_json(report.checkpoints),
        "checkpoint": {
            "prefix": found.prefix or None,
            "shards": found.shards,
            "object_based": found.object_based,
            "snapshot": found.snapshot,
            "saved_graph": to_json(found.graph),
            "variables": [
                {**to_json(row.variable), "role": row.role, "size": row.size, "parts": row.parts}
                for row in found.variables
            ],
        },
    }


def _verification(report: Report) -> Dict[str, Any]:
    return {
        "model_dir": report.model_dir,
        "why": report.why or None,
        "last_good": report.last_good or None,
        "checkpoints": [_verified(item) for item in report.verified],
    }


def _lint(report: Report) -> Dict[str, Any]:
    return {"files": report.files}


def _verified(item: Verified) -> Dict[str, Any]:
    return {
        "ok": item.ok,
        "whole": item.whole,
        "prefix": item.prefix,
        "step": item.step,
        **to_json(item.data),
        "loaded": item.loaded,
        **_found(item.groups),
    }


def _found(groups: Sequence[Group]) -> Dict[str, Any]:
    return {
        "findings": [_finding(found) for item in groups for found in item.findings],
        "groups": [_group(item) for item in groups],
    }


def _finding(finding: Finding) -> Dict[str, Any]:
    return {
        "key": finding.key,
        "rule": finding.rule,
        "category": finding.category,
        "severity": finding.severity,
        "modes": sorted(finding.modes),
        "variable": finding.variable or None,
        "checkpoint": _shape_and_dtype(finding.checkpoint),
        "model": _shape_and_dtype(finding.model),
        "message": finding.message,
        "location": to_json(finding.location),
        "outcomes": {
            mode: {"verdict": outcome.verdict, "at": outcome.at}
            for mode, outcome in finding.outcomes.items()
        },
        "detail": list(finding.detail),
        "hint": finding.hint or None,
        "data": to_json(finding.data),
        **{side: finding.data[side] for side in ("then", "now") if side in finding.data},
    }


def _accepted(report: Report) -> Dict[str, Any]:
    """Returns the findings that the project accepts; nothing if it accepts none."""
    items = [
        {"by": item.by, "reason": item.reason or None, **_finding(item.finding)}
        for item in report.accepted
    ]
    return {"accepted": items} if items else {}


def _shape_and_dtype(spec: Optional[VariableSpec]) -> Optional[Dict[str, Any]]:
    return {"shape": to_json(spec.shape), "dtype": spec.dtype} if spec else None


def _group(item: Group) -> Dict[str, Any]:
    return {
        "title": item.title,
        "keys": [finding.key for finding in item.findings],
        "advice": to_json(item.advice),
    }
