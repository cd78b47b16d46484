"""The ML backend over HTTP: Label Studio's routes, a JSON API, and metrics."""
