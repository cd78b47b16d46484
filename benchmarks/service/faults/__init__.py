"""Faults of every kind while annotators label in a real Label Studio, and what is lost by them."""
