"""The own pages: what a person looks at."""
