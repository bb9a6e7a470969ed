"""Elements of HTML. All text and all attributes that go into a page pass through here.

Names in files and code are untrusted. :class:`xml.etree.ElementTree.Element` holds them as data,
and its serializer escapes them. Markup is never put together from strings.
"""

import re
from typing import Iterable, Union
from xml.etree.ElementTree import Element, tostring

from ...sanitize import escaped, printable

Child = Union[str, Element, None, Iterable["Child"]]
"""What an element can hold: text, an element, nothing, or several of these."""
Attribute = Union[str, bool, None]

_LONGEST_TEXT = 2000
_INLINE = frozenset(
    (
        "a",
        "b",
        "button",
        "code",
        "em",
        "i",
        "input",
        "kbd",
        "label",
        "legend",
        "small",
        "span",
        "td",
    )
)
"""Elements within a line. After all others, the document has a line break, so that diffs work."""


def e(tag: str, *children: Child, **attributes: Attribute) -> Element:
    """Returns an element.

    Args:
        tag: its name.
        children: its content. Texts are escaped for people, and very long ones are cut.
        attributes: ``class_`` is ``class``, and ``data_x`` is ``data-x``. None and False leave an
            attribute out; True is an attribute without a value.
    """
    made = Element(tag)
    for name, value in attributes.items():
        if value is not None and value is not False:
            text = "" if value is True else printable(value, _LONGEST_TEXT)
            made.set(name.rstrip("_").replace("_", "-"), text)
    _add(made, children)
    return made


def exact(tag: str, text: str, **attributes: Attribute) -> Element:
    """Returns an element whose text is not cut, because users copy it."""
    made = e(tag, **attributes)
    made.text = escaped(text)
    return made


def raw(tag: str, text: str) -> Element:
    """Returns a style or a script. Its text is ckptcheck's own, and is written as it is."""
    made = Element(tag)
    made.text = text
    return made


def _add(parent: Element, child: Child) -> None:
    if child is None:
        return
    if isinstance(child, Element):
        parent.append(child)
    elif isinstance(child, str):
        _add_text(parent, printable(child, _LONGEST_TEXT))
    else:
        for item in child:
            _add(parent, item)


def _add_text(parent: Element, text: str) -> None:
    if len(parent):
        parent[-1].tail = (parent[-1].tail or "") + text
    else:
        parent.text = (parent.text or "") + text


def prose(text: str) -> Iterable[Child]:
    """Yields the elements of a text of ckptcheck's own, in which backticks mark code."""
    for place, part in enumerate(re.split(r"`+", text)):
        yield e("code", part) if place % 2 else part


def lowered(element: Element) -> Element:
    """Lowers all headings in an element by one level, so that it fits into another element."""
    for item in element.iter():
        if item.tag in ("h1", "h2", "h3", "h4"):
            item.tag = f"h{int(item.tag[1]) + 1}"
    return element


def written(root: Element) -> str:
    """Returns a document as text. It has only ASCII characters."""
    for element in root.iter():
        if element.tag not in _INLINE and not element.tail:
            element.tail = "\n"
    text: bytes = tostring(root, "us-ascii", "html")
    return "<!doctype html>\n" + text.decode("ascii")
