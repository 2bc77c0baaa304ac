"""SASL: the mechanisms, and the dialogue of one AUTHENTICATE command. No I/O. Users import from `imapclient.sasl`."""
