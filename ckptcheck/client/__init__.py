"""ckptcheck's side of the tracer: starts it, asks it, and finds the features by asking again."""
