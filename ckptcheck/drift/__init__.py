"""Finds out what a model computes differently than the model that was saved. No TensorFlow."""
