"""Requests and results of verifications."""
