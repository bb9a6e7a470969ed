"""The tracer: what runs inside the user's interpreter.

It needs TensorFlow and the standard library, and nothing of ckptcheck but :mod:`..spec`. ckptcheck
sends its source over a pipe (see ``client/process.py``), so nothing has to be installed there.
"""
