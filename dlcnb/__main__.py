"""``python -m dlcnb`` and the command ``dlcnb``."""

import signal

__all__ = ["run"]


def run() -> None:
    """Run the command line; Ctrl-C while it is loaded ends it without a traceback."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    from dlcnb.cli import main

    signal.signal(signal.SIGINT, signal.default_int_handler)
    main(prog_name="dlcnb")


if __name__ == "__main__":
    run()
