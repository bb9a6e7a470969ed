"""Run a case with both sides: ckptcheck and the real Estimator."""

import contextlib
import dataclasses
import importlib.util
import json
import os
import shlex
import subprocess
import sys
from typing import Any, Dict, Iterator, List, Optional, Set

from ckptcheck.checks import run_check
from ckptcheck.client.process import Tracer
from ckptcheck.commands.terminal import exit_code
from ckptcheck.errors import TracerLostError, UsageError
from ckptcheck.exit_codes import EXIT_USAGE
from ckptcheck.inspection import inspect
from ckptcheck.options import CheckSpec
from ckptcheck.reporters import render
from ckptcheck.results import Report

from .cases import Case
from .workspace import Workspace, read_json, write_json

HERE = os.path.dirname(os.path.abspath(__file__))
PROJECT = os.path.dirname(os.path.dirname(HERE))
CHECK_TIMEOUT_SECONDS = 120.0


class UnfitError(Exception):
    """This interpreter has no Estimator to compare with."""


def _environment() -> Dict[str, str]:
    """Return the variables for child processes, such as for a quiet TensorFlow on the CPU."""
    environment = dict(os.environ, TF_CPP_MIN_LOG_LEVEL="2", CUDA_VISIBLE_DEVICES="")
    paths = [PROJECT, environment.get("PYTHONPATH", "")]
    environment["PYTHONPATH"] = os.pathsep.join(path for path in paths if path)
    return environment


class Oracle:
    """A process that has imported TensorFlow once, and forks for each request.

    It keeps no state between requests, except the imported TensorFlow.
    """

    def __init__(self, command: Optional[str] = None) -> None:
        """Starts it in this interpreter, or in that of a command."""
        if command is None and importlib.util.find_spec("tensorflow") is None:
            raise UnfitError("no TensorFlow in this interpreter, so no Estimator to compare with")
        words = shlex.split(command) if command else [sys.executable]
        self._process = subprocess.Popen(
            [*words, "-B", os.path.join(HERE, "estimator_oracle.py"), "--serve"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env=_environment(),
            universal_newlines=True,
        )
        word, _, self.tensorflow = self._answer().partition(" ")
        if word != "ready":
            self.close()
            reason = "TensorFlow {} has no tf.estimator to compare with"
            raise UnfitError(reason.format(self.tensorflow))

    def _answer(self) -> str:
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        if not line:
            raise RuntimeError(f"the oracle died, status {self._process.wait()}")
        return line.strip()

    @property
    def folder(self) -> str:
        """The name of the fixture directories with checkpoints of this TensorFlow."""
        return "tf" + "".join(self.tensorflow.split(".")[:2])

    @property
    def major(self) -> int:
        """1 or 2."""
        return int(self.tensorflow.split(".")[0])

    def ask(self, workspace: Workspace, request: Dict[str, Any]) -> Dict[str, Any]:
        """Send a request and wait for the document that answers it."""
        path = os.path.join(workspace.scratch, request["do"])
        out = path + "-answer.json"
        write_json(path + "-request.json", dict(request, scratch=workspace.scratch, out=out))
        assert self._process.stdin is not None
        self._process.stdin.write(path + "-request.json\n")
        self._process.stdin.flush()
        self._answer()
        with open(out) as f:
            answer: Dict[str, Any] = json.load(f)
        _raise_oracle_errors(answer)
        return answer

    def close(self) -> None:
        """End the process."""
        with self._process:  # closes the pipes, so that the process ends, and waits
            pass


def _raise_oracle_errors(answer: Dict[str, Any]) -> None:
    for part in [answer, *list(answer.get("modes", {}).values())]:
        if part.get("oracle_error"):
            raise RuntimeError("the oracle itself failed:\n" + part["oracle_error"])


def prepare(case: Case, root: str, oracle: Oracle) -> Workspace:
    """The case's working copy, with all edits made."""
    saved_by = oracle.folder
    if case.other_version:
        saved_by = {"tf115": "tf215", "tf215": "tf115"}[saved_by]
    if case.trains:
        workspace = Workspace(root, case.fixture, case.module)
        for edit in case.before:
            edit(workspace)
        oracle.ask(workspace, _request("train", case, workspace))
    else:
        workspace = Workspace(root, case.fixture, case.module, saved_by)
    for edit in case.edits:
        edit(workspace)
    if workspace.changes:
        request = {"do": "rewrite", "prefix": workspace.prefix, "changes": workspace.changes}
        oracle.ask(workspace, request)
    return workspace


def ask_estimator(case: Case, workspace: Workspace, oracle: Oracle) -> Dict[str, Dict[str, Any]]:
    """Return what the real Estimator does in each mode."""
    return dict(oracle.ask(workspace, _request("judge", case, workspace))["modes"])


def _request(do: str, case: Case, workspace: Workspace) -> Dict[str, Any]:
    return {
        "do": do,
        "code": workspace.code,
        "model_dir": workspace.model_dir,
        "module": case.module,
        "tf1_names": case.module == "model",
        "params": "params.json",
        "modes": case.modes,
        "behavior": case.behavior_before if do == "train" else case.behavior,
    }


def check_spec(case: Case, workspace: Workspace) -> CheckSpec:
    """Return the options of the check that a user would run for this case."""
    return CheckSpec(
        model_dir=workspace.model_dir,
        target=f"{case.module}:{case.function}",
        params=read_json(workspace.path("params.json")),
        modes=case.modes,
        app_dir=workspace.code,
        flags=tuple(workspace.argv()),
        behavior=case.behavior or "auto",
        timeout=CHECK_TIMEOUT_SECONDS,
        quiet=True,
        **case.asked,
    )


@contextlib.contextmanager
def _working_in(folder: str) -> Iterator[None]:
    before = os.getcwd()
    os.chdir(folder)
    try:
        yield
    finally:
        os.chdir(before)


class Checker:
    """ckptcheck with a tracer that has imported TensorFlow once, for many checks."""

    def __init__(self, command: Optional[str] = None) -> None:
        """Starts the tracer in this interpreter, or in that of a command."""
        self._command = command
        self._tracer = self._started()

    def _started(self) -> Tracer:
        tracer = Tracer(self._command, CHECK_TIMEOUT_SECONDS, quiet=True)
        tracer.hello()
        return tracer

    def check(self, spec: CheckSpec, folder: str = "") -> Report:
        """Runs a check. If the tracer has ended, starts it again for the next check.

        Args:
            spec: what to check.
            folder: the working directory of a new tracer; "" to use the running tracer.
        """
        if folder:
            with _working_in(folder), self._started() as tracer:
                return run_check(spec, tracer)
        try:
            return run_check(spec, self._tracer)
        except TracerLostError:
            self._tracer.close()
            self._tracer = self._started()
            raise

    def close(self) -> None:
        """Ends the tracer."""
        self._tracer.close()


class Check:
    """One check: its exit code and its report, or the error message if there is no report."""

    def __init__(self, case: Case, workspace: Workspace, checker: Checker) -> None:
        spec = check_spec(case, workspace)
        self._asked = json.dumps(dataclasses.asdict(spec))
        self.message = ""
        self.report: Dict[str, Any] = {}
        self.kinds: Set[str] = set()
        try:
            report = checker.check(spec, workspace.code if case.reads_files else "")
        except UsageError as error:
            self.code, self.message = EXIT_USAGE, str(error)
            return
        self.code = exit_code(report)
        self.kinds = _kinds_of_variables(report)
        self.report = json.loads(render(report, "json"))

    def verdict(self, mode: str) -> Optional[str]:
        """The verdict for a mode, as `verdict_text` writes it."""
        answer = self.report.get("modes", {}).get(mode)
        return None if answer is None else verdict_text(answer)

    def findings(self, mode: str) -> List[str]:
        """The texts of all findings for this mode."""
        findings = self.report.get("findings", [])
        return [json.dumps(finding) for finding in findings if mode in finding["modes"]]

    def describe(self) -> str:
        """Return all results as text, for the message of a failed test."""
        report = json.dumps(self.report, indent=1)
        return "\n".join([self._asked, f"exit code {self.code}", report, self.message])


def _kinds_of_variables(report: Report) -> Set[str]:
    """Return the kinds of variables in the check and in the inspection of the same graph."""
    launch = report.trace.launch if report.trace is not None else None
    if launch is None or not launch.reason.startswith("the graph saved by"):
        return set()
    graph = inspect(report.model_dir).contents.graph
    return {launch.behavior} if graph is None else {launch.behavior, graph.behavior}


def verdict_text(answer: Dict[str, Any]) -> str:
    """Return the two fields of a verdict as one text, such as `restores` or `fails at run`."""
    if answer["verdict"] == "fails":
        return "fails at {}".format(answer.get("at"))
    return str(answer["verdict"])
