"""``python -m imapclient.livetest FILE [PYTEST ARGUMENT...]``: the live tests on the accounts of a file."""

from __future__ import annotations

import configparser
import importlib.util
import os
import sys
from collections.abc import Sequence
from pathlib import Path

from imapclient.config import parse_config_file

USAGE = """\
usage: python -m imapclient.livetest FILE [PYTEST ARGUMENT...]

Runs the live tests on each account of a configuration file, such as livetest.ini.example of the source tree.
They work in folders of their own, whose names begin with "imapclient-livetest-", and delete these only.
"""


def main(arguments: Sequence[str]) -> int:
    """Run the tests. Returns pytest's exit status, or 2 where the tests could not be started."""
    if not arguments or arguments[0] in ("-h", "--help"):
        print(USAGE, end="")
        return 0 if arguments else 2
    if importlib.util.find_spec("pytest") is None:
        print("the live tests need pytest: pip install pytest", file=sys.stderr)
        return 2
    try:
        settings = parse_config_file(arguments[0])
    except (OSError, configparser.Error) as error:
        print(error, file=sys.stderr)
        return 2

    import pytest

    from imapclient.livetest import accounts, fixtures

    tested, refused = accounts.accounts_of(settings)
    folder = Path(__file__).parent
    return int(
        pytest.main(
            [
                *sorted(map(str, folder.glob("test_*.py"))),
                *([str(folder / "refused_accounts.py")] if refused else []),
                # The settings of a project that the current folder happens to be in are not for these tests.
                f"--rootdir={folder}",
                f"--confcutdir={folder}",
                f"-c{os.devnull}",
                "-pno:cacheprovider",
                "-ra",
                *arguments[1:],
            ],
            plugins=[accounts.Plugin(tested, refused), fixtures],
        )
    )


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
