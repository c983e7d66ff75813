"""Exports signatures as collections that sourmash reads."""
