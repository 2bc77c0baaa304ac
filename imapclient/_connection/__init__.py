"""The connection: imaplib behind a gateway, and the exchange of commands and responses over it.

The only room that imports imaplib, and the only one that maps the exceptions of other libraries. The rooms above it
use `gateway.Connection`, `exchange.Command` and the queues of `queues`.
"""
