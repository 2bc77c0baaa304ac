"""Where `Idle` was documented before. New programs use `imapclient.response_types`."""
