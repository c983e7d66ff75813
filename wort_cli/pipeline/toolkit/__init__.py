"""The SRA toolkit as processes: starting and killing its tools, and interpreting their errors."""
