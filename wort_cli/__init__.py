"""wort computes, keeps and checks sourmash signatures of public sequencing runs."""

__version__ = "0.1.0"
