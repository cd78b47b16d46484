"""A project is set up for the queue, and put back."""
