"""Classifiers learned from a crowd."""
