"""From the options of an INI file to a connected client: options, passwords, OAuth 2. The door: `imapclient.config`."""
