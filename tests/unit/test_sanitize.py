"""Tests of escaping untrusted text for a terminal."""

import sys

import pytest

from ckptcheck.sanitize import harmless_lines, printable, shortened


@pytest.mark.parametrize(
    ("text", "safe"),
    [
        ("dense/kernel", "dense/kernel"),
        ("größe \U0001d518 漢", "größe \U0001d518 漢"),
        ("a\x1b[31mb", "a\\x1b[31mb"),
        ("a\nb\rc\td", "a\\nb\\rc\\td"),
        ("a\x00b\x7fc\x9bd", "a\\x00b\\x7fc\\x9bd"),
        ("evil\u202etxt.exe", "evil\\u202etxt.exe"),
        ("a\u2066b\u2069\u200b\u200f\u061c", "a\\u2066b\\u2069\\u200b\\u200f\\u061c"),
        ("\u2028\u2029\x85", "\\u2028\\u2029\\x85"),
        ("\ufeff\ud800", "\\ufeff\\ud800"),
    ],
)
def test_printable_lets_no_name_steer_a_terminal(text: str, safe: str) -> None:
    assert printable(text) == safe


def test_printable_leaves_nothing_that_controls() -> None:
    """All control characters, format characters and unassigned code points are escaped."""
    import unicodedata

    left = [
        hex(code)
        for code in range(sys.maxunicode + 1)
        if unicodedata.category(chr(code)) in ("Cc", "Cs", "Zl", "Zp")
        or unicodedata.bidirectional(chr(code))
        in ("LRE", "RLE", "LRO", "RLO", "PDF", "LRI", "RLI", "FSI", "PDI")
        if printable(chr(code)) == chr(code)
    ]
    assert left == []


def test_printable_leaves_nothing_that_is_not_seen() -> None:
    """Tags, soft hyphens, interlinear marks."""
    import unicodedata

    for code in range(sys.maxunicode + 1):
        if unicodedata.category(chr(code)) == "Cf":
            assert printable(chr(code)) == ascii(chr(code))[1:-1]


def test_lines_of_another_program_stay_lines() -> None:
    text = "a\tb\r\n10%\r20%\n\x1b[2Jc\u202e\n"
    assert harmless_lines(text) == "a    b\n10%\n20%\n\\x1b[2Jc\\u202e\n"


def test_long_words_are_cut_and_still_differ() -> None:
    one, other = "x" * 10000 + "/kernel", "x" * 10001 + "/kernel"
    texts = [shortened(f"the variable {name!r} is missing") for name in (one, other)]
    assert texts[0] != texts[1]
    for text in texts:
        assert len(text) < 230
        assert text.startswith("the variable 'xxx")
        assert text.endswith("/kernel' is missing")
    assert shortened("y" * 200) == "y" * 200


@pytest.mark.parametrize("most", [1, 2, 44, 300])
def test_printable_bounds_a_name(most: int) -> None:
    assert len(printable("x " * 10240, most)) == most
    assert len(printable("\x1b " * 10240, most)) == most
    name = ("x " * most)[:most]
    assert printable(name, most) == name


def test_printable_cuts_a_long_word_in_the_middle() -> None:
    assert printable("x" * 1000 + "/kernel").endswith("x/kernel")
