"""``python -m imapclient.livetest FILE [PYTEST ARGUMENT...]``: run the live tests on the account of a file."""

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

Runs the live tests on the account of a configuration file. livetest.ini.example in the source tree is an example.
Each other section of the file is one more way to connect, and the tests try it too. The tests work in a folder of
their own, "imapclient-livetest-...", and delete nothing else. --livetest-report report.md writes a summary for a bug
report: what passed, what failed and what was skipped.
"""


def main(arguments: Sequence[str]) -> int:
    """Run the tests. Return pytest's exit status, or 2 if the tests could not start."""
    if not arguments or arguments[0] in ("-h", "--help"):
        print(USAGE, end="")
        return 0 if arguments else 2
    if importlib.util.find_spec("pytest") is None:
        print("the live tests need pytest: pip install pytest", file=sys.stderr)
        return 2
    try:
        # The plugin reads the file again, and shows the warnings then.
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            parse_config_file(arguments[0])
    except (OSError, configparser.Error) as error:
        print(error, file=sys.stderr)
        return 2

    import pytest

    # It must come before the import, so that a failed assertion shows its values.
    pytest.register_assert_rewrite("imapclient.livetest.fixtures")
    from imapclient.livetest import fixtures, plugin

    folder = Path(__file__).parent
    return int(
        pytest.main(
            [
                *sorted(map(str, folder.glob("test_*.py"))),
                f"--livetest-config={arguments[0]}",
                # The current folder may belong to a project, whose settings must not apply to these tests.
                f"--rootdir={folder}",
                f"--confcutdir={folder}",
                f"-c{os.devnull}",
                "-pno:cacheprovider",
                # pytest warns because this program has imported the plugin's package already.
                "-Wignore::pytest.PytestAssertRewriteWarning",
                "-ra",
                *arguments[1:],
            ],
            plugins=[plugin, fixtures],
        )
    )


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
