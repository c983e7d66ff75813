"""What the commands of `wort sync` share."""
