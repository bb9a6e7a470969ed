"""Inspections and verifications as JSON: docs/json.md describes them."""

import json
from typing import Any, Dict, Sequence

from ..protocol import to_json
from ..results import Finding, Group, Inspection, VariableRow, Verification, Verified

VERSION = 1


def render_inspection(found: Inspection) -> str:
    """An inspection as one document."""
    return _document(
        {
            "version": VERSION,
            "ok": found.ok,
            "model_dir": found.model_dir,
            "why": found.why,
            "checkpoints": to_json(found.checkpoints),
            "checkpoint": {
                "prefix": found.prefix or None,
                "shards": found.shards,
                "object_based": found.object_based,
                "snapshot": found.snapshot,
                "saved_graph": to_json(found.graph),
                "variables": [_variable(row) for row in found.variables],
            },
            "findings": _findings(found.groups),
            "not_judged": list(found.not_judged),
        }
    )


def _variable(row: VariableRow) -> Dict[str, Any]:
    return {**to_json(row.variable), "role": row.role, "size": row.size, "parts": row.parts}


def render_verification(found: Verification) -> str:
    """A verification as one document."""
    return _document(
        {
            "version": VERSION,
            "ok": found.ok,
            "model_dir": found.model_dir,
            "why": found.why or None,
            "last_good": found.last_good or None,
            "checkpoints": [_verified(item) for item in found.checkpoints],
            "not_judged": list(found.not_judged),
        }
    )


def _document(content: Dict[str, Any]) -> str:
    return json.dumps(content, indent=1) + "\n"


def _verified(item: Verified) -> Dict[str, Any]:
    return {
        "ok": item.ok,
        "whole": item.whole,
        "prefix": item.prefix,
        "step": item.step,
        "tensors": item.tensors,
        "size": item.size,
        "loaded": item.loaded,
        "findings": _findings(item.groups),
    }


def _findings(groups: Sequence[Group]) -> Any:
    return [_finding(finding) for item in groups for finding in item.findings]


def _finding(finding: Finding) -> Dict[str, Any]:
    return {
        "key": finding.key,
        "rule": finding.rule,
        "severity": finding.severity,
        "variable": finding.variable or None,
        "message": finding.message,
        "hint": finding.hint or None,
    }
