"""The client's methods: one file and one mixin for each family of commands. `IMAPClient` inherits all of them."""
