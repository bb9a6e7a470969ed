"""The matrix: ``nox`` runs everything; a missing interpreter is skipped, except in CI."""

import os
import shutil
import subprocess
import sys

import nox

nox.options.default_venv_backend = "venv"
nox.options.sessions = ["tests", "lowest", "fuzz", "lint", "build"]

IN_CI = bool(os.environ.get("CI"))

MATRIX = {
    "3.7": "TensorFlow 1.15",
    "3.11": "TensorFlow 2.15",
    "3.13": "the newest TensorFlow",
}


def _interpreter(session: nox.Session, python: str) -> str:  # noqa: RET503 (skip raises)
    """The path of a Python; skips loudly where it is missing, and fails there in CI."""
    found = shutil.which(f"python{python}")
    if found is not None:
        asked = [found, "-c", "import sys; print(sys.executable)"]
        answer = subprocess.run(asked, capture_output=True, text=True)
        if answer.returncode == 0:  # a shim may be there without what it stands for
            return answer.stdout.strip()
    message = f"python{python} is not on the PATH: {MATRIX[python]} is NOT TESTED"
    if IN_CI:
        session.error(message)
    sys.stderr.write(f"\n{'!' * 79}\n{message}\n{'!' * 79}\n")
    session.skip(message)


def _environment(session: nox.Session, python: str) -> str:
    """A new virtual environment; returns its interpreter.

    The standard library makes it: virtualenv, nox's own way, has given up Python 3.7.
    """
    venv = os.path.join(session.create_tmp(), f"venv-{python}")
    session.env.pop("TMPDIR", None)  # of create_tmp: tests must not run in the project
    session.run(_interpreter(session, python), "-m", "venv", "--clear", venv, external=True)
    inside = os.path.join(venv, "bin", "python")
    session.run(inside, "-m", "pip", "install", "-q", "--upgrade", "pip", external=True)
    return inside


@nox.session(python=False)
@nox.parametrize("version", list(MATRIX))
def tests(session: nox.Session, version: str) -> None:
    """The daily tests, against a real TensorFlow. The run on the newest one measures coverage."""
    python = _environment(session, version)
    session.run(python, "-m", "pip", "install", "-q", "-e", ".[tensorflow,test]", external=True)
    coverage = ["--cov"] if version == "3.13" else []
    arguments = session.posargs or ["-n", "4", "-q", *coverage]
    session.run(python, "-m", "pytest", *arguments, external=True)


@nox.session(python=False)
@nox.parametrize("version", list(MATRIX))
def acceptance(session: nox.Session, version: str) -> None:
    """All acceptance cases and all other tests, with the marker ``nightly`` or without."""
    python = _environment(session, version)
    session.run(python, "-m", "pip", "install", "-q", "-e", ".[tensorflow,test]", external=True)
    arguments = session.posargs or ["-n", "4", "-q"]
    session.run(python, "-m", "pytest", "-m", "", *arguments, external=True)


ESTIMATORS = [version for version in MATRIX if version != "3.13"]
"""The versions whose TensorFlow has tf.estimator, to compare with."""


@nox.session(python=False)
@nox.parametrize("version", ESTIMATORS)
def campaign(session: nox.Session, version: str) -> None:
    """Random models and edits, compared with the real Estimator; see CONTRIBUTING.md."""
    python = _environment(session, version)
    session.run(python, "-m", "pip", "install", "-q", "-e", ".[tensorflow,test]", external=True)
    session.run(python, "-m", "tests.differential", *session.posargs, external=True)


@nox.session(python=False)
@nox.parametrize("version", list(MATRIX))
def across(session: nox.Session, version: str) -> None:
    """The catalogue of edits, trained by another version of TensorFlow than the one that traces."""
    python = _environment(session, version)
    session.run(python, "-m", "pip", "install", "-q", "-e", ".[tensorflow,test]", external=True)
    session.run(python, "-m", "tests.drift.library", external=True)
    for other in (other for other in ESTIMATORS if other != version):
        trainer = _environment(session, other)
        session.run(trainer, "-m", "pip", "install", "-q", "-e", ".[tensorflow]", external=True)
        session.run(python, "-m", "tests.drift", "--saved-by", trainer, external=True)


@nox.session(python=False)
def lowest(session: nox.Session) -> None:
    """Fast tests with the oldest dependencies that pyproject.toml allows."""
    python = _environment(session, "3.7")
    oldest = ["google-crc32c==1.5.0", "typer==0.9.0", "tabulate==0.9.0"]
    session.run(python, "-m", "pip", "install", "-q", *oldest, "-e", ".[test]", external=True)
    slow = ["--ignore-glob=*/test_remote_*", "--ignore-glob=*/test_settled.py"]
    session.run(python, "-m", "pytest", "-n", "4", "-q", *slow, "tests/unit", external=True)
    session.run(python, "-m", "ckptcheck", "--list-rules", external=True)


@nox.session(python=False)
def fuzz(session: nox.Session) -> None:
    """A short run of the fuzzer on all that reads untrusted bytes."""
    python = _environment(session, "3.11")
    session.run(python, "-m", "pip", "install", "-q", "atheris", "-e", ".[test]", external=True)
    for target, runs in (("index", 30000), ("state", 100000), ("graph", 50000)):
        words = [target, f"-runs={runs}", "-max_len=1024", "-verbosity=0"]
        session.run(python, "-m", "tests.checkpoints.fuzz", *words, external=True)


@nox.session(python="3.11")
def lint(session: nox.Session) -> None:
    """Style, types, import boundaries, and the schema of the action."""
    session.install("-q", "-e", ".[test,lint]", "nox")
    session.run("ruff", "check", ".")
    session.run("ruff", "format", "--check", ".")
    session.run("mypy")
    session.run("lint-imports")
    session.run("check-jsonschema", "--builtin-schema", "vendor.github-actions", "action.yml")


@nox.session(python="3.11")
def build(session: nox.Session) -> None:
    """The source distribution and the wheel, and what an index would say of them."""
    session.install("-q", "build", "twine")
    dist = session.create_tmp()
    session.run("python", "-m", "build", "-q", "--outdir", dist)
    files = [os.path.join(dist, name) for name in sorted(os.listdir(dist))]
    session.run("twine", "check", "--strict", *(f for f in files if f.endswith((".whl", ".gz"))))
