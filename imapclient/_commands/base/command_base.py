"""What every family of commands inherits."""

from __future__ import annotations

from .message_items import MessageItems
from .names import FolderNames


class CommandBase(MessageItems, FolderNames):
    """Runs commands, delivers unsolicited responses, and handles folder names and the items of messages."""
