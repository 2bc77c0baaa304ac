"""The data of an `AppendReply` or a `CopyReply`."""

from __future__ import annotations

from imapclient._parsing.uid_codes import AppendReply, CopyReply


def known(reply: AppendReply) -> tuple[bytes, int | None, str | None, str | None]:
    """Return the text, UIDVALIDITY, UIDs and source UIDs: ``(b'Done', 38505, '7:9', '1:3')``."""
    sources = reply.source_uids if isinstance(reply, CopyReply) else None
    uids = None if reply.uids is None else str(reply.uids)
    return bytes(reply), reply.uidvalidity, uids, None if sources is None else str(sources)
