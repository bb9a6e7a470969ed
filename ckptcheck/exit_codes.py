"""The exit codes of every command."""

EXIT_OK = 0
EXIT_FINDINGS = 1
EXIT_USAGE = 2
EXIT_NOTHING_CHECKED = 3
EXIT_INTERRUPTED = 130
"""As a shell says that a signal, here SIGINT, ended a command."""
