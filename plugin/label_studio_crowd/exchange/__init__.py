"""What goes between Label Studio and the store: pulled, planned, published."""
