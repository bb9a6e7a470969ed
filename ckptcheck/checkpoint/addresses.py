"""Addresses of remote directories and files, as fsspec takes them and as they are shown.

File systems can be chained, the outermost first: ``zip://base::s3://bucket/runs.zip`` is a
directory of an archive in a bucket. Names of files belong behind the first path of a chain.
"""

import re
from typing import Tuple

_REMOTE = re.compile(r"^(?:[a-zA-Z][a-zA-Z0-9+.-]*::)*[a-zA-Z][a-zA-Z0-9+.-]*://")
_HERE = re.compile(r"^(?:file|local)://(?=/)")
WEB = ("http", "https")

_PASSWORD = re.compile(r"(?<=://)([^/@:\s]*):[^/\s]*@")
_TOKEN = re.compile(r"(?<=http://|ttps://)[^/@:\s]+@")
_QUERY = re.compile(r"(https?://[^\s?]*\?)[^\s?=]*=\S*[^\s:,;.)]")


def is_remote(named: str) -> bool:
    """Whether a name is one of another file system."""
    return _REMOTE.match(named) is not None and _HERE.match(named) is None


def local_path(named: str) -> str:
    """The path of something on this machine, which may be named by an address."""
    return _HERE.sub("", named)


def first_protocol(address: str) -> str:
    """The protocol of what is read first, in small letters."""
    return re.split("::|://", address)[0].lower()


def protocols_of(address: str) -> Tuple[str, ...]:
    """The protocols of a chain, in small letters; a web server's host may have a ``::``."""
    if first_protocol(address) in WEB:
        return (first_protocol(address),)
    return tuple(link.partition("://")[0].lower() for link in address.split("::"))


def joined(folder: str, name: str) -> str:
    """The address of a file in a directory."""
    path, rest = _links(folder)
    return f"{path}/{name}{rest}"


def folder_of(address: str) -> str:
    """The address of the directory of a file."""
    path, rest = _links(address)
    return _bare(path[: path.rindex("/") + 1]) + rest


def without_last_slash(address: str) -> str:
    """An address without the slashes behind its path; those of a protocol stay."""
    path, rest = _links(address)
    return _bare(path) + rest


def shown(text: str, local: str, folder: str) -> str:
    """A text in which a local directory stands for a remote one, with that one's addresses."""
    path, rest = _links(folder)
    if not rest:
        return text.replace(local, folder)
    name = r"((?:/[^\s'\",;:()]*[^\s'\",;:().])?)"
    return re.sub(re.escape(local) + name, lambda match: path + match.group(1) + rest, text)


def without_secrets(text: str) -> str:
    """A text in which addresses have no passwords, tokens or signatures: logs keep what is printed.

    What stands before the @ of a web server's address is taken for a token, and what is behind
    the ? for a signature.
    """
    text = _PASSWORD.sub(r"\1:***@", text)
    return _QUERY.sub(r"\1***", _TOKEN.sub("***@", text))


def _links(address: str) -> Tuple[str, str]:
    """An address up to the end of its first path, and the rest of the chain."""
    end = -1
    if first_protocol(address) not in WEB:
        end = address.find("::", address.find("://") + 1)
    return (address, "") if end < 0 else (address[:end], address[end:])


def _bare(path: str) -> str:
    bare = path.rstrip("/")
    return bare + "//" if bare.endswith(":") else bare
