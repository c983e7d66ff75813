"""The SRA toolkit as processes: starting its tools, ending them, understanding what they say."""
