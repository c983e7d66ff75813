"""What commands print, and how: JSON, lines of a pipe, tables and progress bars of a terminal."""
