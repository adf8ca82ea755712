"""``python -m dlcnb`` is ``dlcnb``."""

from dlcnb.cli import main

main(prog_name="dlcnb")
