"""A model a file, with its edits; `catalogue` finds them."""
