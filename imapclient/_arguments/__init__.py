"""A caller's values become the bytes of a command. No I/O, except reading a file that the caller passes.

Everything that is sent is encoded here, so injection is stopped here.
"""
