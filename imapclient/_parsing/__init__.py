"""What a server sends, from bytes to values. No I/O: nothing in here reaches a socket, a file, a thread or imaplib.

The reader makes records of lines and literals. Each module takes a response's line, the position at which its data
starts, and its records if it has literals. It returns a value or raises ProtocolError, whatever the bytes are.
"""
