"""Opens remote file systems with fsspec."""

import contextlib
import os
import stat
from typing import Any, Dict, Iterator, Sequence, Tuple

from ..errors import UsageError
from .addresses import (
    WEB,
    first_protocol,
    is_remote,
    local_path,
    protocols_of,
    without_secrets,
)
from .own_folder import full_disk_message
from .v1_format import without_pattern
from .web import bounded_client

_S3 = ("s3", "s3a")
_GOOGLE = ("gs", "gcs")
_CACHES = ("blockcache", "cached", "filecache", "simplecache")
_PATIENCE = 30
"""Seconds to wait for an answer from a server."""
_PATIENCE_BY_SIX = 10
"""The same for gcsfs, which tries each request six times."""
_LONGEST = 600
"""Seconds for one request, even if the server keeps sending."""


def file_system(named: str, cache: str) -> Tuple[Any, str]:
    """Opens the file system of a remote directory or file.

    Args:
        named: the address, as the user wrote it.
        cache: the directory for fsspec's caches (``simplecache::``), unless the user has
            configured another one. By default, each run would leave a directory behind.

    Returns:
        The file system, and the path in it.

    Raises:
        UsageError: no installed package can read it.
    """
    try:
        import fsspec
    except ImportError:
        raise UsageError(
            f"MODEL_DIR {named} is remote: to read it, pip install 'ckptcheck[remote]' and what "
            "fsspec needs for it (gcsfs for gs://, s3fs for s3://)"
        )
    _verify_archive(named)
    protocol = first_protocol(named)
    address = protocol + named[len(protocol) :]
    if protocol in WEB and set("?#") & set(without_pattern(named)):
        raise UsageError(
            f"MODEL_DIR {named}: behind a ? or # there can be no name of a file: give the address "
            "of the directory alone, or copy it here"
        )
    try:
        if protocol in WEB:  # a host may contain ::, as a chain of file systems does
            return fsspec.filesystem(protocol, **_patience(protocol)), address
        options = {link: _options(link, cache) for link in protocols_of(named)}
        of_links = {link: found for link, found in options.items() if found}
        for link in set(of_links).intersection(_S3):  # fsspec caches instances by options
            fsspec.filesystem(link, **of_links[link]).retries = 1  # botocore has tried again
        found: Tuple[Any, str] = fsspec.core.url_to_fs(address, **of_links)
        return found
    except ImportError as error:
        raise UsageError(f"MODEL_DIR {named}: {error}, into the environment of ckptcheck")
    except ValueError as error:
        raise UsageError(f"MODEL_DIR {named}: {error}")


def _options(protocol: str, cache: str) -> Dict[str, Any]:
    import fsspec.config

    if protocol not in _CACHES:
        return _patience(protocol)
    configured = fsspec.config.conf.get(protocol, {})
    return {} if "cache_storage" in configured else {"cache_storage": cache}


def _verify_archive(named: str) -> None:
    """Verifies that a chain that ends on this machine ends with a regular file or a directory.

    Raises:
        UsageError: it ends with something else. Opening a named pipe could block forever.
    """
    path = named.rpartition("::")[2]
    if "::" not in named or first_protocol(named) in WEB or is_remote(path):
        return
    try:
        kind = os.stat(local_path(path)).st_mode
    except (OSError, ValueError):  # the file system reports this
        return
    if not (stat.S_ISREG(kind) or stat.S_ISDIR(kind)):
        raise UsageError(f"MODEL_DIR {named}: {local_path(path)} is not a regular file")


def _patience(protocol: str) -> Dict[str, Any]:
    """Options that limit the time to wait for a server."""
    if protocol in (*WEB, *_GOOGLE):
        import aiohttp

        seconds = _PATIENCE if protocol in WEB else _PATIENCE_BY_SIX
        timeout = aiohttp.ClientTimeout(_LONGEST, sock_connect=seconds, sock_read=seconds)
        if protocol in _GOOGLE:
            return {"requests_timeout": timeout}
        ours: Dict[str, Any] = {"timeout": timeout, **bounded_client()}
        return {"client_kwargs": _configured(WEB, "client_kwargs", ours)}
    if protocol in _S3:
        times = {"connect_timeout": _PATIENCE, "read_timeout": _PATIENCE}
        with_tries = {**times, "retries": {"max_attempts": 1}}
        return {"config_kwargs": _configured(_S3, "config_kwargs", with_tries)}
    return {}


def _configured(protocols: Sequence[str], option: str, ours: Dict[str, Any]) -> Dict[str, Any]:
    """Returns an option. The user's configuration of fsspec overrides it."""
    import fsspec.config

    found = dict(ours)
    for protocol in protocols:
        for key, value in fsspec.config.conf.get(protocol, {}).get(option, {}).items():
            both = isinstance(value, dict) and isinstance(found.get(key), dict)
            found[key] = {**found[key], **value} if both else value
    return found


@contextlib.contextmanager
def explained(place: str) -> Iterator[None]:
    """Converts the exceptions of a file system into UsageErrors about ``place``."""
    try:
        with _without_logs("gcsfs"):  # it logs its exceptions with tracebacks
            yield
    except UsageError as error:
        raise UsageError(without_secrets(str(error))) from None
    except Exception as error:  # each file system has its own exceptions
        raise UsageError(without_secrets(f"{place} cannot be read: {why(error)}"))


@contextlib.contextmanager
def _without_logs(name: str) -> Iterator[None]:
    """Stops the log messages of a package from reaching the root logger."""
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
    """Unwraps fsspec's FileNotFoundError to the underlying cause."""
    if isinstance(error, FileNotFoundError) and error.__cause__ is not None:
        return why(error.__cause__)
    full = full_disk_message(error)
    if full:
        return full
    kind = type(error).__name__
    text = str(error) or ("there was no answer" if "Timeout" in kind else "")
    return f"{kind}: {text}" if text else kind


def is_web(system: Any) -> bool:
    """Whether a file system is a web server. A web server lists quoted names without sizes."""
    protocols = system.protocol if isinstance(system.protocol, tuple) else (system.protocol,)
    return "http" in protocols
