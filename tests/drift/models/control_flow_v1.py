"""Loops and branches as TensorFlow 1 builds them."""

from ..control_flow import control_flow

MODEL = control_flow("v1", "disable")
