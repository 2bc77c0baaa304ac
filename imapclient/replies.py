"""What `append` and `copy` return, for programs that import it from here. New ones use `imapclient.response_types`."""

from __future__ import annotations

from ._parsing.uid_codes import AppendReply, CopyReply

__all__ = ["AppendReply", "CopyReply"]
