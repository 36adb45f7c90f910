"""How fast scenes become labelled pictures."""
