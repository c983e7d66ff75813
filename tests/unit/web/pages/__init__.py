"""Tests of the pages of `wort serve`."""
