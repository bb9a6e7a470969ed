"""Reads the graph that a model_fn builds, from a file or from a trace, without TensorFlow."""
