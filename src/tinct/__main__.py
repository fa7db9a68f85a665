"""`python -m tinct` runs the command line `tinct`, for launchers that take a module, such as torchrun."""

from tinct.cli import main

main()
