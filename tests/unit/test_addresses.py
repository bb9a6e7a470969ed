"""Addresses of remote directories, by their text alone."""

import pytest

from ckptcheck.checkpoint.addresses import (
    folder_of,
    joined,
    shown,
    without_last_slash,
    without_secrets,
)


@pytest.mark.parametrize(
    ("folder", "file"),
    [
        ("gs://bucket/run", "gs://bucket/run/m-1"),
        ("zip://base::/x/runs.zip", "zip://base/m-1::/x/runs.zip"),
        ("zip://base::s3://bucket/runs.zip", "zip://base/m-1::s3://bucket/runs.zip"),
        ("simplecache::s3://bucket/run", "simplecache::s3://bucket/run/m-1"),
        ("simplecache::zip://a/b::runs.zip", "simplecache::zip://a/b/m-1::runs.zip"),
        ("http://[::1]:80/run", "http://[::1]:80/run/m-1"),
    ],
)
def test_a_file_in_a_directory(folder: str, file: str) -> None:
    assert joined(folder, "m-1") == file
    assert folder_of(file) == folder
    assert without_last_slash(joined(folder, "/")) == folder
    texts = ("HERE/m-1 is gone", "in HERE", "(HERE/m-1)", "HERE: HERE/m-1.", "'HERE/m-1': no")
    for text in texts:
        expected = text.replace("HERE/m-1", file).replace("HERE", folder)
        assert shown(text.replace("HERE", "/tmp/c-1/0"), "/tmp/c-1/0", folder) == expected


@pytest.mark.parametrize(
    ("text", "printed"),
    [
        ("ftp://anna:secret@host/run", "ftp://anna:***@host/run"),
        ("ftp://anna@host/run", "ftp://anna@host/run"),
        ("http://anna:sec@ret@host/run", "http://anna:***@host/run"),
        ("https://:secret@host/run", "https://:***@host/run"),
        ("https://ghp_secret@host/run", "https://***@host/run"),
        ("MODEL_DIR https://host/run?sig=secret&b=1: no", "MODEL_DIR https://host/run?***: no"),
        ("see (https://host/run?sig=a:b).", "see (https://host/run?***)."),
        ("http://host/model.ckpt-1-?????-of-00002", "http://host/model.ckpt-1-?????-of-00002"),
        ("gs://b/run: write to anna@host", "gs://b/run: write to anna@host"),
        ("zip://a::ftp://anna:secret@host/x.zip", "zip://a::ftp://anna:***@host/x.zip"),
    ],
)
def test_secrets_are_not_printed(text: str, printed: str) -> None:
    assert without_secrets(text) == printed
