"""Everything that talks to Label Studio. Nothing else does."""
