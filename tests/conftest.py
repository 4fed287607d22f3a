"""Databases and clusters that any test may ask for."""

from tests.databases import any_database, any_database_url, postgresql
from tests.ray_cluster import ray_cluster

__all__ = ["any_database", "any_database_url", "postgresql", "ray_cluster"]
