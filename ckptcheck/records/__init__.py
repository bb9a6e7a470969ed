"""Records of what training used for a checkpoint. docs/record.md describes the format."""
