"""The connection: imaplib behind a gateway, and the exchange of commands and responses over it.

The only room that names imaplib, and the only one that maps the exceptions of other libraries. The commands come in
through `gateway.Connection`.
"""
