"""Checkpoints made for tests: by hand, byte by byte, and by the real TensorFlow."""
