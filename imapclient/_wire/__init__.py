"""Bytes and time: sockets, TLS, compression. Knows nothing of IMAP."""
