"""Decoders: they convert the spots of an archive to text for hashing."""
