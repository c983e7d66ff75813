"""`python -m wort_cli`: the same as the `wort` command."""

from wort_cli.cli import main

if __name__ == "__main__":
    main()
