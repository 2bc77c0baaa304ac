"""What is behind `imapclient.interact`: the shells, and advice when connecting fails."""
