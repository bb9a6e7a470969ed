"""What a user sees, character by character: each case's output is compared with a file."""
