"""An older path of `Idle`. New programs import it from `imapclient.response_types`."""
