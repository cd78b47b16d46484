"""What the commands that train networks, or look for hard tasks, read and write."""
