"""CROWDLAB and ActiveLab, as published."""
