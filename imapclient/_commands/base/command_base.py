"""What every family of commands inherits."""

from __future__ import annotations

from .message_items import MessageItems
from .names import FolderNames


class CommandBase(MessageItems, FolderNames):
    """Running commands, unsolicited responses, folder names, items of messages; see the modules beside this one."""
