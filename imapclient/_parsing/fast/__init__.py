"""The fast path for FETCH responses: many at a time, with the values of the general path. No I/O.

The entry is ``batch_reader.BatchReader``, which ``fetch.collector`` alone uses. ``batch_reader.enabled = False`` turns
the fast path off.
"""
