"""A random campaign of ckptcheck against the real tf.estimator.Estimator.

Models are composed as source text, trained for one step, edited, and then judged by both sides;
see :mod:`.campaign`. ``python -m tests.differential --help`` says how to run it.
"""
