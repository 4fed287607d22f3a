"""What may be searched: pure values, no training, no storage, no network."""
