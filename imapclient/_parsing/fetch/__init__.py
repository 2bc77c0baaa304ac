"""FETCH responses: from their bytes to a FetchResult. No I/O.

A response goes parser, collector, result. ``items`` makes the values, ``sections`` knows which texts were asked for,
``lenient`` keeps the sound items of a response that the parser refuses.
"""
