"""Addresses of remote directories and files, for fsspec and for messages.

File systems can be chained, the outermost first: ``zip://base::s3://bucket/runs.zip`` is a
directory of an archive in a bucket. File names are appended to the first path of a chain.
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
    """Whether a name is an address of a remote file system."""
    return _REMOTE.match(named) is not None and _HERE.match(named) is None


def local_path(named: str) -> str:
    """Returns a local path. The argument may be an address such as ``file://``."""
    return _HERE.sub("", named)


def first_protocol(address: str) -> str:
    """Returns the protocol of the first link of a chain, in lower case."""
    return re.split("::|://", address)[0].lower()


def joined(folder: str, name: str) -> str:
    """Returns the address of a file in a directory."""
    path, rest = _links(folder)
    return f"{path}/{name}{rest}"


def folder_of(address: str) -> str:
    """Returns the address of a file's directory."""
    path, rest = _links(address)
    return _bare(path[: path.rindex("/") + 1]) + rest


def without_last_slash(address: str) -> str:
    """Removes the slashes at the end of a path, but not those of a protocol."""
    path, rest = _links(address)
    return _bare(path) + rest


def shown(text: str, local: str, folder: str) -> str:
    """Replaces the paths of a local copy in a text by remote addresses."""
    path, rest = _links(folder)
    if not rest:
        return text.replace(local, folder)
    name = r"((?:/[^\s'\",;:()]*[^\s'\",;:().])?)"
    return re.sub(re.escape(local) + name, lambda match: path + match.group(1) + rest, text)


def without_secrets(text: str) -> str:
    """Removes passwords, tokens and signatures from the addresses in a text, since logs keep it.

    In the address of a web server, the part before the @ counts as a token, and the part after
    the ? as a signature.
    """
    text = _PASSWORD.sub(r"\1:***@", text)
    return _QUERY.sub(r"\1***", _TOKEN.sub("***@", text))


def _links(address: str) -> Tuple[str, str]:
    """Splits an address into the first link of the chain, and the rest."""
    end = -1
    if first_protocol(address) not in WEB:
        end = address.find("::", address.find("://") + 1)
    return (address, "") if end < 0 else (address[:end], address[end:])


def _bare(path: str) -> str:
    bare = path.rstrip("/")
    return bare + "//" if bare.endswith(":") else bare
