"""A labeling config as answer spaces, and a result as a label and back."""
