"""One small program per peer, run inside that peer's own environment; none of them sees the scorer or the holdout."""
