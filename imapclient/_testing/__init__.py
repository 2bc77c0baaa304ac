"""What the embedded server is made of: pymap in an event loop.

Everything in here may change at any time. Only ``imapclient.embedded_server`` imports it.
"""
