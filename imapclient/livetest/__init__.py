"""The live tests: what this package promises, checked on a server of yours.

``python -m imapclient.livetest my.ini`` runs them on each account of the file; livetest.ini.example at
the top of the source tree shows one. Arguments after the file go to pytest: ``-x``, ``-k idle``. They need
pytest, and an account that may make folders.

Each test works in new folders, whose names begin with ``imapclient-livetest-`` and random letters, and these are
all that is deleted. Other folders are listed, never selected or changed. What a server has no capability for is
skipped, with the reason.

The modules ``test_<family>.py`` hold the tests. They use the fixtures of `imapclient.livetest.fixtures` and four that
whoever runs the tests provides; `imapclient.livetest.accounts` does it for accounts of a file:

- ``client``: logged in, no folder selected, all attributes as after construction
- ``second_client``: another connection of the same user
- ``connect``: a function that returns one more of these; its keyword argument ``timeout`` is IMAPClient's
- ``server_name``: a name for the server; ``"embedded"`` leaves out what `imapclient.embedded_server` can't do
"""
