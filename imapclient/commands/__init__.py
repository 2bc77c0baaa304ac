"""The commands of IMAP, one module with one mixin for each family."""
