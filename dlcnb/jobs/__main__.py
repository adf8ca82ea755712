"""The worker's command line: ``python -m dlcnb.jobs FOLDER``."""

import logging
import os
import sys

from dlcnb.jobs.job import JOB_FILE
from dlcnb.jobs.worker import run

if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit("usage: python -m dlcnb.jobs FOLDER")
    if not os.path.isfile(os.path.join(sys.argv[1], JOB_FILE)):
        sys.exit(f"No job in {sys.argv[1]}: it has no {JOB_FILE}.")
    code = run(sys.argv[1])
    logging.shutdown()
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)  # everything is on disk; MXNet's threads need not be joined
