"""What the processes of chaos tests need; imported once, in the server that they are forked from."""

import psycopg  # noqa: F401 - imported for the processes

import service.app
import service.coordinator.loop
import service.server  # noqa: F401 - imported for the processes
import tests.chaos.actors
import tests.formula_executor  # noqa: F401 - imported for the processes
