"""What a caller gives, from values to the bytes of a command. No I/O, except on a file that the caller passes in.

Nothing is sent that was not encoded here, so injection is stopped here, once.
"""
