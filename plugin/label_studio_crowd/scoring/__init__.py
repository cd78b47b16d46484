"""From answers to scores: who is right, how sure that is, and what to label next."""
