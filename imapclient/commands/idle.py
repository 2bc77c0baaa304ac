"""`Idle`, for programs that import it from here. New programs use `imapclient.response_types`."""

from __future__ import annotations

from .._commands.idle import Idle

__all__ = ["Idle"]
