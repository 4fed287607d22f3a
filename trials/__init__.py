"""How replicates are trained: grafting, the lanes engine, and the places where it runs."""
