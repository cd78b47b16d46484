"""Methods for answers that are one class, one a module."""
