"""The ledger's storage: tables, transactions, queries and migrations, on SQLite or PostgreSQL."""
