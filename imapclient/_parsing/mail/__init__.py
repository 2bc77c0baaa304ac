"""What FETCH sends about mail: envelopes, body structures, header text, transfer encodings. No I/O."""
