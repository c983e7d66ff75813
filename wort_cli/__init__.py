"""wort computes, stores, publishes and verifies sourmash signatures of public sequencing runs."""

__version__ = "0.1.0"
