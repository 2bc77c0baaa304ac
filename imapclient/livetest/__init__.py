"""The live tests: they check this package on your own server.

``python -m imapclient.livetest my.ini`` runs them on the account in the file; livetest.ini.example at the top of the
source tree is an example. Each other section of the file is another way to connect, which is tested too. Arguments
after the file are passed to pytest: ``-x``, ``-k idle``, ``--livetest-report report.md``. The tests need pytest, and
an account that may create folders.

The tests change and delete only what is inside one folder of their own. Its name is ``imapclient-livetest-`` and 16
letters and digits. It is deleted at the end, also after a failure or Ctrl-C. If a run could not delete its folder, a
later run does so after one day. Other folders are listed, but never changed. If the server does not support a
capability, its tests are skipped with the reason.

The modules ``test_<family>.py`` contain the tests, and `imapclient.livetest.fixtures` what they share.
`imapclient.livetest.accounts` manages the connections and folders of an account. `imapclient.livetest.plugin` is the
pytest plugin, which reads the file and writes the report.
"""
