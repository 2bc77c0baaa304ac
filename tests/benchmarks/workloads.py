"""The workloads of the benchmark."""

from __future__ import annotations

from typing import Any, NamedTuple

SEATS = ("ours", "peer", "imaplib", "go-imap", "imapflow", "imap_tools", "aioimaplib", "socket")
ENVELOPE_ITEMS = ["FLAGS", "INTERNALDATE", "RFC822.SIZE", "ENVELOPE", "BODYSTRUCTURE"]
HEADER_ITEM = "BODY[HEADER.FIELDS (FROM TO SUBJECT DATE MESSAGE-ID)]"


class Workload(NamedTuple):
    """A task for a client, and its amount."""

    folder: str
    title: str
    call: str
    items: list[str]
    total: int
    size: int = 0
    """The size of one item in bytes, if the workload sets it."""
    seats: tuple[str, ...] = ("ours", "peer", "imaplib", "socket")
    """Those who can do it."""
    port: int = 0
    """The port of another server than the canned one."""
    variant: str = ""
    """One of worker.py's ``VARIANTS``. The workload is left out if the library does not offer it."""


# The table's text for a variant.
VARIANTS = {
    "": "",
    "gc_tuning": ", with gc_tuning",
    "python_gc": ", thresholds of Python",
    "general": ", general path alone",
    "fetch": ", by fetch",
}
KIB, MIB = 1 << 10, 1 << 20
BASE = ("ours", "peer", "imaplib", "socket")
LANGUAGES = (*BASE, "go-imap", "imapflow")
# The time of aioimaplib grows with the square of the number of responses: over a minute for 20,000.
WITH_AIOIMAPLIB = (*BASE, "aioimaplib")
OVERVIEWS = (*LANGUAGES, "aioimaplib")
WHOLE_MESSAGES = (*LANGUAGES, "aioimaplib", "imap_tools")
# IMAPClient has no such method, or can't do it.
OURS = ("ours", "imaplib", "socket")
WORKLOADS = (
    Workload("flags", "FLAGS MODSEQ", "fetch", ["FLAGS", "MODSEQ"], 20_000, 0, LANGUAGES),
    Workload(
        "mixed",
        "FLAGS MODSEQ INTERNALDATE RFC822.SIZE",
        "fetch",
        ["FLAGS", "MODSEQ", "INTERNALDATE", "RFC822.SIZE"],
        20_000,
    ),
    Workload("overviews", "overviews of varied mail", "fetch", ENVELOPE_ITEMS, 2_000, 0, OVERVIEWS),
    Workload("envelopes", "ENVELOPE BODYSTRUCTURE", "fetch", ENVELOPE_ITEMS, 2_000, 0, OVERVIEWS),
    Workload("envelopes-odd", "the same, odd mail", "fetch", ENVELOPE_ITEMS, 2_000, 0, WITH_AIOIMAPLIB),
    Workload("headers", "header fields", "fetch", [HEADER_ITEM], 5_000, 0, LANGUAGES),
    Workload("replay-dovecot-2.3", "replay of Dovecot", "fetch", ENVELOPE_ITEMS, 2_000, 0, WITH_AIOIMAPLIB),
    Workload("replay-pymap", "replay of pymap", "fetch", ENVELOPE_ITEMS, 2_000, 0, WITH_AIOIMAPLIB),
    Workload("bodies", "bodies of 15 to 70 kB", "fetch", ["BODY[]"], 300, 0, WHOLE_MESSAGES),
    Workload("bodies-small", "bodies", "fetch", ["BODY[]"], 3_000, 4 * KIB),
    Workload("bodies-large", "bodies", "fetch", ["BODY[]"], 50, MIB, WITH_AIOIMAPLIB),
    Workload("bodies-huge", "bodies", "fetch", ["BODY[]"], 1, 64 * MIB, WITH_AIOIMAPLIB),
    Workload("search", "SEARCH", "search", [], 100_000, 0, WHOLE_MESSAGES),
    # imaplib, and so IMAPClient, reads no line over 1,000,000 bytes.
    Workload("search-million", "SEARCH", "search", [], 1_000_000, 0, ("ours", "socket")),
    Workload("list", "LIST", "list", [], 5_000),
    Workload("append", "APPEND", "append", [], 300, 32 * KIB),
    Workload("append-file", "APPEND from a file", "append-file", [], 40, MIB, OURS),
    Workload("download", "download", "download", [], 1, 32 * MIB, OURS),
    Workload("iterate", "FLAGS MODSEQ by fetch_iter", "iterate", ["FLAGS", "MODSEQ"], 20_000, 0, OURS),
)


def scaled(workload: Workload, scale: float) -> Workload:
    """Return the workload with fewer items, or with a smaller item if it has only one."""
    if workload.total == 1:
        return workload._replace(size=max(4 * KIB, int(workload.size * scale)))
    return workload._replace(total=max(3, int(workload.total * scale)))


def gc_tuned(workload: Workload) -> Workload | None:
    """Our client's variant of a fetch, in which the library may change how often garbage is collected."""
    if workload.call not in ("fetch", "chunks", "iterate"):
        return None
    return workload._replace(variant="gc_tuning")


def variants(workload: Workload) -> dict[str, Workload]:
    """Return what our client is measured with beside the workload itself: names of `VARIANTS`, and the workloads."""
    result = {}
    tuned = gc_tuned(workload)
    if tuned is not None:
        result["gc_tuning"] = tuned
    if workload.folder == "overviews":
        result["general"] = workload._replace(variant="general")
    if workload.call == "download":
        result["fetch"] = workload._replace(call="fetch", items=["BODY[]"])
    return result


def amount(workload: dict[str, Any]) -> str:
    """Return the table's name of a result's workload."""
    title, size = workload["title"], workload["size"]
    unit = f" of {size // MIB} MiB" if size >= MIB else f" of {size // KIB} KiB" if size else ""
    count = f", {workload['count']:,}" if workload["count"] else ""
    return f"{title}{unit}{count}{VARIANTS[workload.get('variant', '')]}"
