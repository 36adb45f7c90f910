"""Proves on locked real rows whether made rows help a model, are equivalent, or hurt it."""
