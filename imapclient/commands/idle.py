"""An older path of `Idle`. New programs import it from `imapclient.response_types`."""

from __future__ import annotations

from .._commands.idle import Idle

__all__ = ["Idle"]
