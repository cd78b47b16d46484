"""What the documentation's pages take from the code when they are built."""
