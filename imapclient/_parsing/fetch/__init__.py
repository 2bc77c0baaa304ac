"""FETCH responses, from their bytes to a FetchResult: items, results, sections, parser, lenient, collector. No I/O."""
