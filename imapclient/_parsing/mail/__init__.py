"""The mail in FETCH responses: envelopes, body structures, the text of headers, transfer encodings. No I/O."""
