"""Quotas: the limits of the user's folders."""

from __future__ import annotations

from collections.abc import Iterable

from .._arguments.command import Argument
from .._arguments.strings import atom, string
from .._parsing.quota import MailboxQuotaRoots, Quota, parse_quota, parse_quota_root
from .._parsing.responses import Untagged
from ..imap_utf7 import decode_name, encode_name
from ..util import Text
from .base.command_base import CommandBase

# number64 (RFC 9208, 7)
_MAX_LIMIT = 2**63 - 1


class QuotaMixin(CommandBase):
    """GETQUOTAROOT and SETQUOTA (RFC 9208, 4.1; RFC 2087). They need the capability QUOTA.

    A quota root is a group of folders that share one limit. Its name is text, often ``''`` or ``'User quota'``.
    """

    def get_quota(self, mailbox: Text = "INBOX") -> list[Quota]:
        """The quotas that apply to a folder, one for each root and resource (RFC 9208, 4.1.2). Needs QUOTA.

        ``[Quota(quota_root='User quota', resource='STORAGE', usage=12, limit=51200)]``. The unit is 1024 bytes for
        STORAGE, one message for MESSAGE, and one folder for MAILBOX. For a folder without limits, the result is ``[]``.
        Raises what `get_quota_root` raises.
        """
        return self.get_quota_root(mailbox)[1]

    def get_quota_root(self, mailbox: Text) -> tuple[MailboxQuotaRoots, list[Quota]]:
        """The quota roots of a folder, and what `get_quota` returns (RFC 9208, 4.1.2). Needs QUOTA.

        ``(MailboxQuotaRoots(mailbox='INBOX', quota_roots=['']), [Quota('', 'STORAGE', 12, 51200)])``. The folder's name
        is always a str. If ``folder_encode`` is off, it is not decoded from modified UTF-7.

        Raises CapabilityError without QUOTA, and CommandError if the server refuses. Raises ProtocolError if the server
        sends no readable answer. The connection is usable after all of these.
        """
        self._require("QUOTA")
        from .._parsing.collector import Collector

        roots_collected, quotas_collected = Collector(b"QUOTAROOT"), Collector(b"QUOTA")
        handlers = {**roots_collected.handlers, **quotas_collected.handlers}
        self._execute(b"GETQUOTAROOT", [self._folder(mailbox)], handlers)
        with self._delivered_on_failure(quotas_collected.responses):
            name, roots = self._about(b"GETQUOTAROOT", mailbox, roots_collected, parse_quota_root)
        known = set(roots)
        quotas: list[Quota] = []
        others: list[Untagged] = []
        for response in quotas_collected.responses:
            of_response = self._quotas(b"GETQUOTAROOT", response)
            if all(quota.quota_root in known for quota in of_response):
                quotas += of_response
            else:
                others.append(response)
        self._deliver_others(others)
        folder = decode_name(name, self._imap.is_utf8 or not self.folder_encode)
        return MailboxQuotaRoots(folder, roots), quotas

    def set_quota(self, quotas: Iterable[Quota]) -> list[Quota]:
        """Set the limits of quota roots (RFC 9208, 4.1.3). Needs QUOTA. Most servers allow it only to administrators.

        ``set_quota([Quota('', 'STORAGE', 0, 51200), Quota('', 'MESSAGE', 0, 5000)])`` sets two limits of one root. The
        ``usage`` is ignored. If another resource of the root has a limit, that limit is removed. One command is sent
        for each root, in the given order. If a command fails, the roots before it are already set.

        Returns the quotas after the change, as the server sends them: a list as from `get_quota`. Returns ``[]`` if it
        sends none, or if ``quotas`` is empty.

        Raises ValueError if a limit is not from 0 to 2**63 - 1, or if a name can't be sent. Raises TypeError if an item
        is not a ``Quota``, or if its limit is not an int. Raises CapabilityError without QUOTA. Nothing is sent then.
        Raises CommandError if the server refuses, and ProtocolError if its answer can't be parsed. The connection is
        usable after all of these.
        """
        from .._parsing.collector import Collector

        limits: dict[bytes, list[bytes]] = {}
        for quota in quotas:
            if not isinstance(quota, Quota):
                raise TypeError(f"quotas must contain Quota objects only, not {quota!r}")
            if not isinstance(quota.limit, int) or isinstance(quota.limit, bool):
                raise TypeError(f"the limit of a quota must be an int, not {quota.limit!r}")
            if not 0 <= quota.limit <= _MAX_LIMIT:
                raise ValueError(f"the limit of a quota must be 0 to 2**63 - 1, not {quota.limit}")
            resources = limits.setdefault(encode_name(quota.quota_root, utf8=True), [])
            resources += [atom(quota.resource, "resource"), b"%d" % quota.limit]
        commands: list[list[Argument]] = [
            [string(root, "a quota root"), tuple(resources)] for root, resources in limits.items()
        ]
        self._require("QUOTA")
        found: list[Quota] = []
        for arguments in commands:
            collected = Collector(b"QUOTA")
            self._execute(b"SETQUOTA", arguments, collected.handlers)
            for response in collected.responses:
                found += self._quotas(b"SETQUOTA", response)
        return found

    def _quotas(self, command: bytes, response: Untagged) -> list[Quota]:
        with self._answering(command):
            return parse_quota(response, self._read_options)
