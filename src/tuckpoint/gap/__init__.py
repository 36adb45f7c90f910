"""What a real table lacks: against a reference, by error, in support, and what of it can be mended or proved."""
