"""The graph that a model_fn builds: one value, read from a file or from a trace. No TensorFlow."""
