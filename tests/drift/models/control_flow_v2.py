"""Loops and branches as TensorFlow 2 builds them."""

from ..control_flow import control_flow

MODEL = control_flow("v2", "enable")
