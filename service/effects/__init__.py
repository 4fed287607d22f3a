"""What each regularizer did to accuracy: estimators with one question per file, and their pictures."""
