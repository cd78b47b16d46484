"""What the consensus of answers that are not one class is worth, on crowds whose truth is known."""
