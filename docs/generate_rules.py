"""Writes docs/rules.md from the rules themselves: python docs/generate_rules.py."""

from pathlib import Path

from ckptcheck.catalogue import catalogue, found_by

TARGET = Path(__file__).with_name("rules.md")

_HEAD = """# Rules

`python docs/generate_rules.py` writes this file from the docstrings of the rules.
`ckptcheck --explain RULE` prints the same text. In the column `found by`, `lint` stands for
[`ckptcheck lint`](lint.md), and `check` stands for all other commands.

| rule | found by | severity | category | what it finds |
| --- | --- | --- | --- | --- |
"""


def render() -> str:
    """The text of docs/rules.md."""
    rules = catalogue().values()
    rows = [
        f"| [{rule.id}](#{rule.id}) | {found_by(rule)} | {rule.severity} | {rule.category} "
        f"| {rule.summary} |"
        for rule in rules
    ]
    sections = [
        f"## {rule.id}\n\n*{found_by(rule)}: {rule.severity}, {rule.category}*\n\n"
        f"{rule.explanation}"
        for rule in rules
    ]
    return _HEAD + "\n".join(rows) + "\n\n" + "\n\n".join(sections) + "\n"


if __name__ == "__main__":
    TARGET.write_text(render(), "utf-8")
