"""What Label Studio is asked and told, a module for each thing that the requests are about."""
