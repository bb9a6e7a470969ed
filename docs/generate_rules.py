"""Writes docs/rules.md from the rules themselves: python docs/generate_rules.py."""

from pathlib import Path

from ckptcheck.rules import all_rules

TARGET = Path(__file__).with_name("rules.md")

_HEAD = """# Rules

`python docs/generate_rules.py` writes this file from the docstrings of the rules.
`ckptcheck --explain RULE` prints the same text.

| rule | severity | category | what it finds |
| --- | --- | --- | --- |
"""


def render() -> str:
    """The text of docs/rules.md."""
    rules = all_rules().values()
    rows = [
        f"| [{rule.id}](#{rule.id}) | {rule.severity} | {rule.category} | {rule.summary} |"
        for rule in rules
    ]
    sections = [
        f"## {rule.id}\n\n*{rule.severity}, {rule.category}*\n\n{rule.explanation}"
        for rule in rules
    ]
    return _HEAD + "\n".join(rows) + "\n\n" + "\n\n".join(sections) + "\n"


if __name__ == "__main__":
    TARGET.write_text(render(), "utf-8")
