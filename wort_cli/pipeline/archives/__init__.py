"""Archives: where a run's archive is, and whether its bytes are right."""
