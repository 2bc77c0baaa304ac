"""One harness under atheris: ``python -m tests.fuzz.worker NAME [libFuzzer's options] CORPUS``.

The arguments after the name go to libFuzzer. An exception of the harness ends the process, and libFuzzer saves the
input under ``-artifact_prefix``.
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
    # atheris has no types, and is installed only in tox's environment for fuzzing.
    atheris: Any = importlib.import_module("atheris")
    with atheris.instrument_imports(include=["imapclient"]):
        table: Any = importlib.import_module("tests.fuzz.table")
    harness = table.ALL[argv[1]]
    os.environ["TZ"] = harness.zone
    if hasattr(time, "tzset"):
        time.tzset()
    # The first call starts what is made once, such as another process, so that no input has to wait for it.
    harness.run(harness.seeds[0])
    atheris.Setup([argv[0], *argv[2:]], harness.run)
    atheris.Fuzz()


if __name__ == "__main__":
    main(sys.argv)
