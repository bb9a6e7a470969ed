"""Keeps results of the tracer, and uses them again until one of their dependencies changes.

This package does not run the user's code. It imports neither TensorFlow nor :mod:`..client`.
"""
