"""Lists of runs for the tasks of a scheduler, and the files with which it runs them."""
