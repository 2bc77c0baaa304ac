"""Parts of the embedded server: pymap in an event loop, and the sample mailbox.

Everything here may change at any time. Only two public modules import it:

- ``imapclient.embedded_server`` starts ``embedded_pymap``, and fills mailboxes from ``sample_mailbox``.
- ``imapclient.sample_mailbox`` re-exports what ``sample_mailbox`` defines.
"""
