"""The privacy bench: leaks that an audit must see, innocent rows that it must pass, and a peer on the same files."""
