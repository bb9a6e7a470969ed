"""The commands: parse, call, print, exit code. Each is imported only where it is asked for."""
