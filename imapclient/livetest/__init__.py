"""The live tests: they check on your own server that this package works as documented.

``python -m imapclient.livetest my.ini`` runs them on the account of the file. An example of such a file is
livetest.ini.example at the top of the source tree. Each other section of the file is one more way to connect, and the
tests try it too. Arguments after the file are passed to pytest: ``-x``, ``-k idle``, ``--livetest-report report.md``.
The tests need pytest, and an account that may create folders.

The tests change and delete messages only in a folder of their own, and in folders inside it. Its name is
``imapclient-livetest-`` followed by letters and digits. It is deleted at the end, also after a failure or Ctrl-C. If an
earlier run has not deleted its folder, the folder is deleted when it is a day old. Other folders are listed, but not
changed. If the server does not have a capability that a test needs, the test is skipped, with the reason.

- ``test_<family>.py``: the tests.
- `imapclient.livetest.fixtures`: the fixtures and functions that they share.
- `imapclient.livetest.accounts`: the connections and folders of an account.
- `imapclient.livetest.plugin`: the pytest plugin that reads the file and writes the report.
"""
