"""Parts of `imapclient.interact`: the shells, and the advice when connecting fails."""
