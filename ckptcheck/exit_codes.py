"""The exit codes of every command."""

EXIT_OK = 0
EXIT_FINDINGS = 1
EXIT_USAGE = 2
EXIT_NOTHING_CHECKED = 3
EXIT_INTERRUPTED = 130
"""The exit code of a shell for a command that SIGINT ended: 128 plus the signal's number."""
