"""Votes, and what they say about those who gave them."""
