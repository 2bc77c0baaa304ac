"""The calls that are made through IMAPClient 4.1.0 and through this library, to compare what comes back.

`driver` is run by two interpreters, as ``python -m same_as_imapclient.driver`` with this folder's parent on the path:
one that imports IMAPClient 4.1.0 and one that imports this library. It and the modules of calls therefore need nothing
beyond the standard library and a package that is named ``imapclient``. `comparing` is for the tests' side.
"""
