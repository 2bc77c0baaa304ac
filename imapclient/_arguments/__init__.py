"""Encode a caller's values as the bytes of a command. No I/O, except reading a file that the caller passes.

Everything that is sent is encoded here. So this room prevents injection.
"""
