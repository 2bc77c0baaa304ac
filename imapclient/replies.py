"""An older path of `AppendReply` and `CopyReply`. New programs import them from `imapclient.response_types`."""

from __future__ import annotations

from ._parsing.uid_codes import AppendReply, CopyReply

__all__ = ["AppendReply", "CopyReply"]
