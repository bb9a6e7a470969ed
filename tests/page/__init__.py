"""Tests of the page of ``--format html``: its content, and its behavior in a browser."""
