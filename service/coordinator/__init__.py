"""Drives studies: plan, group, dispatch, record. Exactly one coordinator owns a study at a time."""
