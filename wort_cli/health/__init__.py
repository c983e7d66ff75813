"""The health of the daemon, whether jobs may start, and the metrics of both."""
