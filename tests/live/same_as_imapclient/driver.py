"""Makes the calls with the ``imapclient`` of its interpreter, and prints their outcomes as JSON.

    python -m same_as_imapclient.driver <place.json

Its input is ``{"kind": "dovecot", "host": ..., "port": ..., "tls_port": ..., "ca": PEM, "password": ...,
"groups": ["search", ...], "streams": {group: command}}``. Each group of calls has a user of its name with an empty
mailbox. The kind ``none`` is for calls that need no real server.
"""

from __future__ import annotations

import json
import os
import sys
import traceback
from collections.abc import Mapping
from typing import Any

import imapclient

from . import calls_canned, calls_folders, calls_functions, calls_messages, calls_session
from .place import Calls, Place
from .recording import Recording

GROUPS: Mapping[str, Calls] = {**calls_session.GROUPS, **calls_folders.GROUPS, **calls_messages.GROUPS}
"""The calls on a real server, by the name of the group."""
WITHOUT_SERVER: Mapping[str, Any] = {**calls_functions.GROUPS, **calls_canned.GROUPS}
_HERE = os.path.dirname(__file__)


def main() -> None:
    settings = json.load(sys.stdin)
    recorded: dict[str, Any] = {}
    groups: Mapping[str, Any] = WITHOUT_SERVER if settings["kind"] == "none" else GROUPS
    for name in settings["groups"]:
        recording = Recording()
        try:
            if settings["kind"] == "none":
                groups[name](recording)
            else:
                with Place(settings, name, recording) as place:
                    groups[name](place)
        except Exception as error:
            # Exceptions of compared calls are recorded. So this is an error of the group's other code.
            frames = [frame for frame in traceback.extract_tb(error.__traceback__) if _HERE in frame.filename]
            where = ", ".join(f"{frame.name} line {frame.lineno}" for frame in frames)
            recorded[name] = {"failed": f"{error!r} in {where}"}
        else:
            recorded[name] = {"outcomes": recording.outcomes}
    methods = sorted(name for name in dir(imapclient.IMAPClient) if not name.startswith("_"))
    answer = {"version": imapclient.__version__, "path": imapclient.__file__, "methods": methods, "groups": recorded}
    json.dump(answer, sys.stdout)


if __name__ == "__main__":
    main()
