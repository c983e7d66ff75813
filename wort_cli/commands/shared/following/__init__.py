"""What is followed: `wort follow`."""
