"""REST, storage, coordination, effects and pages. Never imports Keras."""
