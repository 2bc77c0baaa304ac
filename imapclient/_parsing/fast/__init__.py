"""The fast path for FETCH responses: the same values as the general path. Its entry is `batch.BatchReader`."""
