"""Values that the layers of wort pass to each other: frozen dataclasses and pure functions, without I/O."""
