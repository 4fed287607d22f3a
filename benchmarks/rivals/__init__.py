"""One study by several programs, each the way its users would write it: one file and one process each.

Each is started as `python -m benchmarks.rivals.NAME TASK FOLDER`, does the whole task, and prints an `Outcome` as JSON.
"""
