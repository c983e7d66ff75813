"""The commands, one per file: each parses its arguments, calls the library, and renders the result."""
