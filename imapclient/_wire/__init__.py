"""Bytes and time: sockets, pipes, TLS, compression, waiting. Knows nothing of IMAP.

Any room above may use `waiting`. The bytes of a server pass through `_connection` only.
"""
