"""Reports as text: one file a format; data in, string out."""
