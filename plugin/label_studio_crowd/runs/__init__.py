"""Runs: pull, train, score, plan, publish."""
