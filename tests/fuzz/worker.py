"""One harness under atheris: ``python -m tests.fuzz.worker NAME [libFuzzer's options] CORPUS``.

The arguments after the name go to libFuzzer. An exception that the harness lets out ends the process, and the input
is kept where ``-artifact_prefix`` says.
"""

from __future__ import annotations

import importlib
import logging
import os
import sys
import time
from typing import Any


def main(argv: list[str]) -> None:
    logging.disable()
    # It has no types, and is there only in the environment that fuzzes.
    atheris: Any = importlib.import_module("atheris")
    with atheris.instrument_imports(include=["imapclient"]):
        table: Any = importlib.import_module("tests.fuzz.table")
    harness = table.ALL[argv[1]]
    os.environ["TZ"] = harness.zone
    if hasattr(time, "tzset"):
        time.tzset()
    # What is made once, such as another process to compare with, takes none of the time of an input.
    harness.run(harness.seeds[0])
    atheris.Setup([argv[0], *argv[2:]], harness.run)
    atheris.Fuzz()


if __name__ == "__main__":
    main(sys.argv)
