"""One command a file: each parses what was typed, calls the library, and renders what comes of it."""
