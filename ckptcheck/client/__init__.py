"""ckptcheck's side of the tracer: starts it, sends it requests, and finds the features."""
