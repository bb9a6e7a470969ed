"""A random campaign of ckptcheck against the real tf.estimator.Estimator.

The campaign composes models as source text, trains them for one step, edits them, and compares both
sides;
see :mod:`.campaign`. ``python -m tests.differential --help`` says how to run it.
"""
