"""Tests of ckptcheck."""
