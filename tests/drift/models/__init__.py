"""One model per file, with its edits. `catalogue` finds them."""
