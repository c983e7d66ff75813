"""The checks of `wort doctor`."""
