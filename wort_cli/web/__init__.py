"""`wort serve`: the HTTP interface of a home, and its pages.  Needs the extra `wort-cli[serve]`."""
