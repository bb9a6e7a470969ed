"""The tracer: what runs inside the user's interpreter.

It needs TensorFlow, the standard library, and :mod:`..protocol`. ckptcheck sends its source over a
pipe (see ``client/process.py``), so nothing has to be installed there.
"""
