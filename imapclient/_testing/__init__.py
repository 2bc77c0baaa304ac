"""Parts of the test doubles: pymap in an event loop, the sample mailbox, and a server that plays a script.

Everything here may change at any time. Only three public modules import it:

- ``imapclient.embedded_server`` starts ``embedded_pymap``, and fills mailboxes from ``sample_mailbox``.
- ``imapclient.sample_mailbox`` re-exports what ``sample_mailbox`` defines.
- ``imapclient.testable_imapclient`` plays a ``script`` with a ``scripted_transport``.
"""
