"""Watching a folder: `IMAPClient.watch`, and what is known about the folder meanwhile."""
