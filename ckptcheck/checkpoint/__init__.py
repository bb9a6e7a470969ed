"""Finds and reads checkpoints without TensorFlow."""
