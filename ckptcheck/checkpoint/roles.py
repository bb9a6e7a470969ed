"""What a variable is for. The rules ask it too, and import nothing from here: so it lies there."""

from ..rules.roles import roles

__all__ = ["roles"]
