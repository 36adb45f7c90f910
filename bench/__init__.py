"""Programs that measure tuckpoint beside its peers."""
