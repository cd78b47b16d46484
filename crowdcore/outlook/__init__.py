"""How right the consensus is, and what further labels would bring."""
