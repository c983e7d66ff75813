"""Output of commands: JSON, lines of a pipe, tables and progress bars of a terminal."""
