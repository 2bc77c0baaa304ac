"""FETCH responses: from their bytes to a FetchResult. No I/O.

A response goes from the parser to the collector to the result. ``items`` makes the values. ``sections`` knows which
texts the command asks for. ``lenient`` keeps the sound items of a response that the parser refuses.
"""
