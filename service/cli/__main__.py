"""`python -m service.cli` is `regtune`."""

from service.cli import main

main()
