"""SASL: the mechanisms, and the dialogue of one AUTHENTICATE command. No I/O. The door for users: `imapclient.sasl`."""
