"""Where commands write signatures, and in which format."""
