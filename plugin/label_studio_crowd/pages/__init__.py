"""What people look at: templates, their style sheet and script, and the words and pictures in them."""
