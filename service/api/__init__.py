"""REST routes: each parses, calls a use case and answers."""
