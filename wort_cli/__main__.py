"""Runs the `wort` command with `python -m wort_cli`."""

from wort_cli.cli import main

if __name__ == "__main__":
    main()
