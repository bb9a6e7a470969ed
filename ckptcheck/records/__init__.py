"""Records: what a checkpoint was trained with. docs/record.md describes the format."""
