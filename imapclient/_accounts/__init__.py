"""Parts of `imapclient.config`: the options of an INI file, passwords, and tokens of OAuth 2."""
