"""``python -m dlcnb.cli`` is ``dlcnb``."""

from dlcnb.cli import main

main(prog_name="dlcnb")
