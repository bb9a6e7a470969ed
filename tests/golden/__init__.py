"""Compares the exact output of each case with a file."""
