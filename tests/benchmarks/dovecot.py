"""A real server for the benchmark: Dovecot, if it is installed."""

from __future__ import annotations

import random
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

from tests.benchmarks.processes import Unavailable, note, on_core
from tests.benchmarks.replies import header_block
from tests.benchmarks.workloads import ENVELOPE_ITEMS, KIB, MIB, Workload

LINE = b"QUJDREVGR0hJSktMTU5PUFFSU1RVVldYWVphYmNkZWZnaGlqa2xtbm9wcXJzdHV2d3h5ejAxMjM0\r\n"

DOWNLOAD = Workload("Large", "Dovecot: download", "download", [], 1, 512 * MIB, ("ours", "imaplib"))


@contextmanager
def dovecot(scale: float) -> Iterator[list[Workload]]:
    """Yield the workloads for a running Dovecot with 20,000 messages and a large one. Raises Unavailable."""
    try:
        from imapclient import IMAPClient
        from tests.helpers.dovecot import Dovecot
        from tests.helpers.mail_server import ServerUnavailable
    except ImportError as error:
        raise Unavailable(f"{error} (install the package with its extra test)") from None

    total = max(3, int(20_000 * scale))
    size = max(64 * KIB, int(DOWNLOAD.size * scale))
    rng = random.Random(total)
    try:
        with ExitStack() as stack:
            with on_core(-1):
                server = stack.enter_context(Dovecot(quota_messages=2 * total, quota_mebibytes=200 + 2 * size // MIB))
            note(f"dovecot, {total} messages …")
            with IMAPClient(server.host, server.port, ssl=False) as client:
                client.login("alice", "secret")
                client.create_folder("Bench")
                for start in range(0, total, 1000):
                    mail = [header_block(rng) + b"Hello\r\n" for _ in range(min(1000, total - start))]
                    client.multiappend("Bench", mail)
                # The first connection that selects the folder gets the flag \\Recent.
                client.select_folder("Bench")
                client.create_folder("Large")
                client.append("Large", header_block(rng) + LINE * (size // len(LINE)))
                client.select_folder("Large")
                # The first fetch of a body sets the flag \\Seen, and the response to it has the flags.
                client.add_flags(client.search(), [b"\\Seen"])
            chosen = ("ours", "peer", "imaplib")
            overviews = (("FLAGS MODSEQ", ["FLAGS", "MODSEQ"]), ("ENVELOPE BODYSTRUCTURE", ENVELOPE_ITEMS))
            yield [
                Workload("Bench", f"Dovecot: {title}", "chunks", items, total, 0, chosen, server.port)
                for title, items in overviews
            ] + [DOWNLOAD._replace(size=size, port=server.port)]
    except ServerUnavailable as error:
        raise Unavailable(str(error)) from None
