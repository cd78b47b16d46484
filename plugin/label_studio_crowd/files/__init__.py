"""What the commands read and write that need no Label Studio."""
