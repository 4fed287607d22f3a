"""Databases that any test may ask for."""

from tests.databases import any_database, any_database_url, postgresql

__all__ = ["any_database", "any_database_url", "postgresql"]
