"""A real server for the benchmark: Dovecot, if it is installed."""

from __future__ import annotations

import random
from collections.abc import Iterator
from contextlib import contextmanager

from tests.benchmarks.processes import note
from tests.benchmarks.replies import header_block
from tests.benchmarks.workloads import ENVELOPE_ITEMS, Workload


class DovecotUnavailable(Exception):
    """There is no Dovecot for the measurement. The text says why."""


@contextmanager
def dovecot(scale: float) -> Iterator[list[Workload]]:
    """Yield the workloads for a running Dovecot with 20,000 messages. Raises DovecotUnavailable."""
    try:
        from imapclient import IMAPClient
        from tests.helpers.dovecot import Dovecot
        from tests.helpers.mail_server import ServerUnavailable
    except ImportError as error:
        raise DovecotUnavailable(f"{error} (install the package with its extra test)") from None

    total = max(3, int(20_000 * scale))
    rng = random.Random(total)
    try:
        with Dovecot(quota_messages=2 * total) as server:
            note(f"dovecot, {total} messages …")
            with IMAPClient(server.host, server.port, ssl=False) as client:
                client.login("alice", "secret")
                client.create_folder("Bench")
                for start in range(0, total, 1000):
                    mail = [header_block(rng) + b"Hello\r\n" for _ in range(min(1000, total - start))]
                    client.multiappend("Bench", mail)
                # The first connection that selects the folder gets the flag \\Recent.
                client.select_folder("Bench")
            chosen = ("ours", "peer", "imaplib")
            yield [
                Workload("Bench", f"Dovecot: {title}", "chunks", items, total, 0, chosen, server.port)
                for title, items in (("FLAGS MODSEQ", ["FLAGS", "MODSEQ"]), ("ENVELOPE BODYSTRUCTURE", ENVELOPE_ITEMS))
            ]
    except ServerUnavailable as error:
        raise DovecotUnavailable(str(error)) from None
