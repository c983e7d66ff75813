"""Values: what the parts of wort pass to each other.  Frozen, checked when they are made, without I/O."""
