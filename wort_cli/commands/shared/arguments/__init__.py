"""What the words of a command line name: options, lists, sources, jobs and profiles."""
