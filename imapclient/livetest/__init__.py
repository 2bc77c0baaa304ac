"""The live tests: what this package promises, checked on a server of yours.

``python -m imapclient.livetest my.ini`` runs them on the account of the file; livetest.ini.example at the top of the
source tree shows one. Each other section of the file is one more way to connect, which is tried too. Arguments after
the file go to pytest: ``-x``, ``-k idle``, ``--livetest-report report.md``. They need pytest, and an account that may
make folders.

The tests change and delete nothing but what is inside one folder of their own, ``imapclient-livetest-`` and letters and
digits, which goes in the end, also after a failure or Ctrl-C. A folder that an earlier run had to leave behind is
deleted when it is a day old. Other folders are listed, never changed. What a server has no capability for is skipped,
with the reason.

The modules ``test_<family>.py`` hold the tests, `imapclient.livetest.fixtures` what they share,
`imapclient.livetest.accounts` the connections and folders of an account, and `imapclient.livetest.plugin` is the pytest
plugin that reads the file and reports.
"""
