"""Watching a folder: `IMAPClient.watch`, and the known state of the folder."""
