"""The tracer: the part of ckptcheck that runs in the user's interpreter.

It needs TensorFlow, the standard library, and the modules protocol, uses, origins and codec.
ckptcheck sends their source over a pipe (see ``client/process.py``), so ckptcheck does not have to
be installed there.
"""
