"""What was true when a checkpoint was saved: written beside it, read by a check.

The format is described in docs/record.md.
"""
