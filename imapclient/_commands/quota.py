"""Quotas: how much the user's folders may hold."""

from __future__ import annotations

from collections.abc import Iterable

from .._arguments.strings import Argument, atom, string
from .._parsing.collector import Collector
from .._parsing.quota import MailboxQuotaRoots, Quota, parse_quota, parse_quota_root
from .._parsing.responses import Untagged
from ..imap_utf7 import decode_name, encode_name
from ..util import Text
from .base.running import CommandBase

# number64 (RFC 9208, 7)
_HIGHEST_LIMIT = 2**63 - 1


class QuotaMixin(CommandBase):
    """GETQUOTAROOT and SETQUOTA (RFC 9208, 4.1; RFC 2087). They need QUOTA.

    A quota root is a group of folders that share one limit; its name is text, often ``''`` or ``'User quota'``. All of
    these methods raise CapabilityError without the capability, CommandError where the server refuses, ProtocolError
    where it tells nothing that can be read of what was asked for. The connection is usable after that.
    """

    def get_quota(self, mailbox: Text = "INBOX") -> list[Quota]:
        """The quotas that a folder counts for, one for each root and resource (RFC 9208, 4.1.2).

        ``[Quota(quota_root='User quota', resource='STORAGE', usage=12, limit=51200)]``, in units of 1024 octets for
        STORAGE, messages for MESSAGE, folders for MAILBOX. A folder without limits gives ``[]``.
        """
        return self.get_quota_root(mailbox)[1]

    def get_quota_root(self, mailbox: Text) -> tuple[MailboxQuotaRoots, list[Quota]]:
        """The quota roots of a folder, and what `get_quota` returns (RFC 9208, 4.1.2).

        ``(MailboxQuotaRoots(mailbox='INBOX', quota_roots=['']), [Quota('', 'STORAGE', 12, 51200)])``. The folder's name
        is a str also where ``folder_encode`` is off: then as on the wire.
        """
        self._require("QUOTA")
        heard_roots, heard_quotas = Collector(b"QUOTAROOT"), Collector(b"QUOTA")
        self._execute(b"GETQUOTAROOT", [self._folder(mailbox)], {**heard_roots.handlers, **heard_quotas.handlers})
        with self._delivered_on_failure(heard_quotas.responses):
            name, roots = self._about(b"GETQUOTAROOT", mailbox, heard_roots, parse_quota_root)
        known = set(roots)
        quotas: list[Quota] = []
        others: list[Untagged] = []
        for response in heard_quotas.responses:
            told = self._quotas(b"GETQUOTAROOT", response)
            if all(quota.quota_root in known for quota in told):
                quotas += told
            else:
                others.append(response)
        self._deliver_others(others)
        folder = decode_name(name, self._imap.is_utf8 or not self.folder_encode)
        return MailboxQuotaRoots(folder, roots), quotas

    def set_quota(self, quotas: Iterable[Quota]) -> list[Quota]:
        """Set the limits of quota roots (RFC 9208, 4.1.3). On most servers only an administrator may.

        ``set_quota([Quota('', 'STORAGE', 0, 51200), Quota('', 'MESSAGE', 0, 5000)])`` sets two limits of one root;
        their ``usage`` is not used. Resources of a root that are not given lose their limits. Each root takes a command
        of its own, in the order in which they are given: where one fails, those before it are set.

        Returns the quotas as the server tells them after the change, as `get_quota` does; ``[]`` where it tells nothing
        or ``quotas`` is empty. ValueError for a limit that is negative or over 63 bits, and for a name that can't be
        sent, TypeError for what is no ``Quota``: nothing was sent then.
        """
        limits: dict[bytes, list[bytes]] = {}
        for quota in quotas:
            if not isinstance(quota, Quota):
                raise TypeError(f"not a Quota: {quota!r}")
            if not isinstance(quota.limit, int) or isinstance(quota.limit, bool):
                raise TypeError(f"the limit of a quota is no int: {quota.limit!r}")
            if not 0 <= quota.limit <= _HIGHEST_LIMIT:
                raise ValueError(f"not a limit of a quota: {quota.limit}")
            resources = limits.setdefault(encode_name(quota.quota_root, utf8=True), [])
            resources += [atom(quota.resource, "resource"), b"%d" % quota.limit]
        commands: list[list[Argument]] = [
            [string(root, "a quota root"), tuple(resources)] for root, resources in limits.items()
        ]
        self._require("QUOTA")
        found: list[Quota] = []
        for arguments in commands:
            heard = Collector(b"QUOTA")
            self._execute(b"SETQUOTA", arguments, heard.handlers)
            for response in heard.responses:
                found += self._quotas(b"SETQUOTA", response)
        return found

    def _quotas(self, command: bytes, response: Untagged) -> list[Quota]:
        with self._answering(command):
            return parse_quota(response, self._read_options)
