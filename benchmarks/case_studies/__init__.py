"""The case studies run, their exports kept, and the page of results written from these."""
