"""Whether the daemon is well, whether jobs may start, and the metrics of both."""
