"""Archives (.sra files): locating the archive of a run, and proving that its bytes are correct."""
