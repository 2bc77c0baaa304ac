"""Parse what a server sends: bytes become values. No I/O: no socket, file, thread or imaplib.

The reader cuts the stream into records; the connection makes an `Untagged` of each response. A function here takes that
and the `ReadOptions`. It returns a value or raises ProtocolError, whatever the bytes are.

``fetch`` parses FETCH responses, ``mail`` the values in them. ``fast`` is the fast path of ``fetch``. The other modules
parse one kind of response each.
"""
