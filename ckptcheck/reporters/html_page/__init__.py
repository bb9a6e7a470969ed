"""The page of ``--format html``: modules that turn a report into elements, a style, a script."""

from .page import document

__all__ = ["document"]
