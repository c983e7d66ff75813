"""Attacks that wort must withstand; docs/security.md lists them."""
