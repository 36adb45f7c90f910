"""Writers, one file a format; every file bears the stamp."""
