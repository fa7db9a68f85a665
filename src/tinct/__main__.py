"""`python -m tinct` is `tinct`; for launchers that take a module, as torchrun does."""

from tinct.cli import main

main()
