"""``python -m imapclient.livetest FILE [PYTEST ARGUMENT...]``: the live tests on the account of a file."""

from __future__ import annotations

import configparser
import importlib.util
import os
import sys
import warnings
from collections.abc import Sequence
from pathlib import Path

from imapclient.config import parse_config_file

USAGE = """\
usage: python -m imapclient.livetest FILE [PYTEST ARGUMENT...]

Runs the live tests on the account of a configuration file, such as livetest.ini.example of the source tree, and
connects as each other section says. They work in a folder of their own, "imapclient-livetest-...", and delete nothing
else. --livetest-report report.md writes what passed, failed and was skipped for a bug report.
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
        # The plugin reads it again, and gives the warnings.
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            parse_config_file(arguments[0])
    except (OSError, configparser.Error) as error:
        print(error, file=sys.stderr)
        return 2

    import pytest

    # Before they are imported, so that a failed assertion shows its values.
    pytest.register_assert_rewrite("imapclient.livetest.fixtures")
    from imapclient.livetest import fixtures, plugin

    folder = Path(__file__).parent
    return int(
        pytest.main(
            [
                *sorted(map(str, folder.glob("test_*.py"))),
                f"--livetest-config={arguments[0]}",
                # The settings of a project that the current folder happens to be in are not for these tests.
                f"--rootdir={folder}",
                f"--confcutdir={folder}",
                f"-c{os.devnull}",
                "-pno:cacheprovider",
                # This program is a module of the package whose other module is a pytest plugin.
                "-Wignore::pytest.PytestAssertRewriteWarning",
                "-ra",
                *arguments[1:],
            ],
            plugins=[plugin, fixtures],
        )
    )


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
