"""Folder names after ENABLE UTF8=ACCEPT or IMAP4rev2, and on a server that speaks revision 2 only (RFC 6855, 3)."""

from __future__ import annotations

import pytest

from imapclient.imap_utf7 import WireName
from tests.helpers.dialogue import dialogue

_SCRIPT = """
    C: A1 LIST "" "*"
    S: * LIST () "/" "Entw\u00fcrfe"
    S: * LIST () "/" "a&b"
    S: * LIST () "/" "&APw-"
    Sx: * LIST () "/" "caf\\xe9"
    S: A1 OK Done
    C: A2 CREATE {9}
    S: + go
    C: Entw\u00fcrfe
    S: A2 OK Done
    C: A3 CREATE "a&b"
    S: A3 OK Done
    C: A4 CREATE {4}
    S: + go
    Cx: caf\\xe9
    S: A4 OK Done
"""


@pytest.mark.parametrize(
    ("capabilities", "enabled"),
    [("IMAP4rev1", {"UTF8=ACCEPT"}), ("IMAP4rev1 IMAP4rev2", {"IMAP4REV2"}), ("IMAP4rev2", set())],
)
def test_names_are_in_utf8(capabilities: str, enabled: set[str]) -> None:
    with dialogue(_SCRIPT, capabilities=capabilities) as client:
        client._imap.enabled = frozenset(enabled)
        names = [name for _, _, name in client.list_folders()]
        assert names == ["Entw\u00fcrfe", "a&b", "&APw-", "caf\\xe9"]
        assert isinstance(names[3], WireName)
        for name in (names[0], names[1], names[3]):
            client.create_folder(name)


@pytest.mark.parametrize(("capabilities", "enabled"), [("IMAP4rev1 IMAP4rev2", set()), ("IMAP4rev1", {"CONDSTORE"})])
def test_else_names_are_in_modified_utf7(capabilities: str, enabled: set[str]) -> None:
    script = 'C: A1 LIST "" "*"\nS: * LIST () "/" "Entw&APw-rfe"\nS: A1 OK x\nC: A2 CREATE "Entw&APw-rfe"\nS: A2 OK x'
    with dialogue(script, capabilities=capabilities) as client:
        client._imap.enabled = frozenset(enabled)
        ((_, _, name),) = client.list_folders()
        assert name == "Entw\u00fcrfe"
        client.create_folder(name)
