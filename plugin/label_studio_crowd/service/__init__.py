"""The service without HTTP: what is due, who does it, and what an ML backend answers."""
