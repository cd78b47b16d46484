"""Runnable examples: a local Label Studio, example crowds, and the demo that brings them together.

Run them as modules from the checkout, for example ``python -m examples.demo``; each one shows its real
output in ``README.md`` beside this file.
"""
