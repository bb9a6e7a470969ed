"""The file systems of other machines, which fsspec opens, and how their addresses are written."""

import contextlib
import re
from typing import Any, Dict, Iterator, Sequence, Tuple

from ..errors import UsageError
from .first_version import without_pattern

_REMOTE = re.compile(r"^(?:[a-zA-Z][a-zA-Z0-9+.-]*::)*[a-zA-Z][a-zA-Z0-9+.-]*://")
_HERE = re.compile(r"^(?:file|local)://(?=/)")
_WEB = ("http", "https")
_S3 = ("s3", "s3a")
_GOOGLE = ("gs", "gcs")
_PASSWORD = re.compile(r"(?<=://)([^/@:\s]*):[^/@\s]*@")
_PATIENCE = 30
"""Seconds without a word from a server."""


def is_remote(named: str) -> bool:
    """Whether a name is one of another file system."""
    return _REMOTE.match(named) is not None and _HERE.match(named) is None


def local_path(named: str) -> str:
    """The path of something on this machine, which may be named by an address."""
    return _HERE.sub("", named)


def file_system(named: str) -> Tuple[Any, str]:
    """What reads a remote directory or file, and what it calls it.

    Raises:
        UsageError: nothing here can.
    """
    try:
        import fsspec
    except ImportError:
        raise UsageError(
            f"MODEL_DIR {named} is remote: to read it, pip install 'ckptcheck[remote]' and what "
            "fsspec needs for it (gcsfs for gs://, s3fs for s3://)"
        )
    protocol, _, rest = named.partition("://")
    protocol = protocol.lower()
    if protocol in _WEB and set("?#") & set(without_pattern(named)):
        raise UsageError(
            f"MODEL_DIR {named}: behind a ? or # there can be no name of a file: give the address "
            "of the directory alone, or copy it here"
        )
    try:
        options = _patience(protocol)
        if protocol in _WEB:  # whose hosts may have the :: by which fsspec chains file systems
            return fsspec.filesystem(protocol, **options), f"{protocol}://{rest}"
        system, path = fsspec.core.url_to_fs(f"{protocol}://{rest}", **options)
    except ImportError as error:
        raise UsageError(f"MODEL_DIR {named}: {error}, into the environment of ckptcheck")
    except ValueError as error:
        raise UsageError(f"MODEL_DIR {named}: {error}")
    if protocol in _S3:
        system.retries = 1  # s3fs tries again what botocore has tried again
    return system, path


def _patience(protocol: str) -> Dict[str, Any]:
    """Options with which a server that does not answer is given up soon."""
    if protocol in (*_WEB, *_GOOGLE):
        import aiohttp

        timeout = aiohttp.ClientTimeout(sock_connect=_PATIENCE, sock_read=_PATIENCE)
        if protocol in _GOOGLE:
            return {"requests_timeout": timeout}
        return {"client_kwargs": _configured(_WEB, "client_kwargs", {"timeout": timeout})}
    if protocol in _S3:
        times = {"connect_timeout": _PATIENCE, "read_timeout": _PATIENCE}
        ours = {**times, "retries": {"max_attempts": 1}}
        return {"config_kwargs": _configured(_S3, "config_kwargs", ours)}
    return {}


def _configured(protocols: Sequence[str], option: str, ours: Dict[str, Any]) -> Dict[str, Any]:
    """An option with what the user has configured for fsspec, which counts more."""
    import fsspec.config

    found = dict(ours)
    for protocol in protocols:
        found.update(fsspec.config.conf.get(protocol, {}).get(option, {}))
    return found


@contextlib.contextmanager
def explained(place: str) -> Iterator[None]:
    """Whatever a file system raises is about a place that the user knows."""
    try:
        with _without_logs("gcsfs"):  # which logs what it raises, with all tracebacks
            yield
    except UsageError as error:
        raise UsageError(without_password(str(error))) from None
    except Exception as error:  # each file system has exceptions of its own
        raise UsageError(without_password(f"{place} cannot be read: {why(error)}"))


@contextlib.contextmanager
def _without_logs(name: str) -> Iterator[None]:
    """What a package logs goes nowhere but to handlers of its own."""
    import logging

    logger, nowhere = logging.getLogger(name), logging.NullHandler()
    propagate = logger.propagate
    logger.propagate = False
    logger.addHandler(nowhere)
    try:
        yield
    finally:
        logger.removeHandler(nowhere)
        logger.propagate = propagate


def why(error: BaseException) -> str:
    """What went wrong: fsspec takes whatever does for a file that is not there."""
    if isinstance(error, FileNotFoundError) and error.__cause__ is not None:
        return why(error.__cause__)
    kind = type(error).__name__
    text = str(error) or ("there was no answer" if "Timeout" in kind else "")
    return f"{kind}: {text}" if text else kind


def without_last_slash(named: str) -> str:
    """An address without the slashes behind it; those of a protocol stay."""
    bare = named.rstrip("/")
    return bare + "//" if bare.endswith(":") else bare


def is_web(system: Any) -> bool:
    """Whether it is a web server, which lists names as they stand in addresses, and no sizes."""
    protocols = system.protocol if isinstance(system.protocol, tuple) else (system.protocol,)
    return "http" in protocols


def without_password(text: str) -> str:
    """A text in which an address has no password, as logs keep what is printed."""
    return _PASSWORD.sub(r"\1:***@", text)
