"""``python -m imapclient.livetest FILE [PYTEST ARGUMENT...]`` runs the live tests on the account in a file."""

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

Runs the live tests on the account in a configuration file, such as livetest.ini.example in the source tree. It also
connects with the settings of each other section. The tests create a folder "imapclient-livetest-..." and change nothing
else. --livetest-report report.md writes the results to a file, for a bug report.
"""


def main(arguments: Sequence[str]) -> int:
    """Run the tests. Returns the exit status of pytest, or 2 if the tests can't be started."""
    if not arguments or arguments[0] in ("-h", "--help"):
        print(USAGE, end="")
        return 0 if arguments else 2
    if importlib.util.find_spec("pytest") is None:
        print("the live tests need pytest: pip install pytest", file=sys.stderr)
        return 2
    try:
        # The plugin reads the file again and shows the warnings.
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            parse_config_file(arguments[0])
    except (OSError, configparser.Error) as error:
        print(error, file=sys.stderr)
        return 2

    import pytest

    # Registered before the import, so a failed assertion shows its values.
    pytest.register_assert_rewrite("imapclient.livetest.fixtures")
    from imapclient.livetest import fixtures, plugin

    folder = Path(__file__).parent
    return int(
        pytest.main(
            [
                *sorted(map(str, folder.glob("test_*.py"))),
                f"--livetest-config={arguments[0]}",
                # The pytest settings of a project in the current folder do not apply to these tests.
                f"--rootdir={folder}",
                f"--confcutdir={folder}",
                f"-c{os.devnull}",
                "-pno:cacheprovider",
                # The plugin is imported before pytest could rewrite its assertions.
                "-Wignore::pytest.PytestAssertRewriteWarning",
                "-ra",
                *arguments[1:],
            ],
            plugins=[plugin, fixtures],
        )
    )


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
