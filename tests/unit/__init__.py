"""Tests that need no TensorFlow."""
