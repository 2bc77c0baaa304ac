"""The charset of criteria: which is named, and what happens where the server does not know it."""

from __future__ import annotations

from typing import Any

import pytest

from imapclient.exceptions import BadCharsetError, InvalidCriteriaError
from tests.helpers.dialogue import dialogue
from tests.helpers.scripted_peer import Script

_GMAIL = "IMAP4rev1 X-GM-EXT-1"
_SJIS = "CHARSET shift_jis"


@pytest.mark.parametrize(
    ("criteria", "charset", "sent"),
    [
        (["SUBJECT", "x"], "UTF-8", "C: A1 UID SEARCH CHARSET UTF-8 SUBJECT x"),
        (["SUBJECT", "x"], "utf-8", "C: A1 UID SEARCH CHARSET utf-8 SUBJECT x"),
        ("ALL", "US-ASCII", "C: A1 UID SEARCH CHARSET US-ASCII ALL"),
        (["SUBJECT", "é"], "UTF-8", "C: A1 UID SEARCH CHARSET UTF-8 SUBJECT {2}\nS: + go\nC: é"),
        (["SUBJECT", "é"], "latin-1", "C: A1 UID SEARCH CHARSET latin-1 SUBJECT {1}\nS: + go\nCx: \\xe9"),
        ('SUBJECT "é"', "iso-8859-1", "C: A1 UID SEARCH CHARSET iso-8859-1 SUBJECT {1}\nS: + go\nCx: \\xe9"),
        (["SUBJECT", "Ж"], "koi8-r", "C: A1 UID SEARCH CHARSET koi8-r SUBJECT {1}\nS: + go\nCx: \\xf6"),
        (["SUBJECT", b"\xe9"], "latin-1", "C: A1 UID SEARCH CHARSET latin-1 SUBJECT {1}\nS: + go\nCx: \\xe9"),
        # The second byte of this character is a backslash.
        (["SUBJECT", "表"], "shift_jis", f"C: A1 UID SEARCH {_SJIS} SUBJECT {{2}}\nS: + go\nCx: \\x95\\\\"),
        ('SUBJECT "表" SEEN', "shift_jis", f"C: A1 UID SEARCH {_SJIS} SUBJECT {{2}}\nS: + go\nCx: \\x95\\\\ SEEN"),
        ('SUBJECT "表 x"', "shift_jis", f"C: A1 UID SEARCH {_SJIS} SUBJECT {{4}}\nS: + go\nCx: \\x95\\\\ x"),
        ("SUBJECT 表 SEEN", "shift_jis", f"C: A1 UID SEARCH {_SJIS} SUBJECT {{2}}\nS: + go\nCx: \\x95\\\\ SEEN"),
    ],
)
def test_charsets(criteria: Any, charset: str, sent: str) -> None:
    with dialogue(f"{sent}\nS: * SEARCH 4\nS: A1 OK Done") as client:
        assert client.search(criteria, charset) == [4]


@pytest.mark.parametrize("text", ["表", "表 x", 'x "表" \\ y', "x\\表"])
@pytest.mark.parametrize("charset", ["shift_jis", "utf-8"])
@pytest.mark.parametrize("encoded", [False, True])
def test_a_backslash_that_is_half_of_a_character_escapes_nothing(text: str, charset: str, encoded: bool) -> None:
    quoted = text.replace("\\", "\\\\").replace('"', '\\"')
    criteria = f'SUBJECT "{quoted}" SEEN'
    literal = text.encode(charset)
    script: Script = [
        f"C: A1 UID SEARCH CHARSET {charset} SUBJECT {{{len(literal)}}}\nS: + go",
        b"C: " + literal + b" SEEN",
        "S: * SEARCH 4\nS: A1 OK Done",
    ]
    with dialogue(script) as client:
        assert client.search(criteria.encode(charset) if encoded else criteria, charset) == [4]


@pytest.mark.parametrize(
    ("criteria", "sent"),
    [
        (["SUBJECT", b"\xc7A"], "SUBJECT {2}\nS: + go\nCx: \\xc7A"),
        (b"SUBJECT \xc7A", "SUBJECT {2}\nS: + go\nCx: \\xc7A"),
        (["SUBJECT", "x", b"SEEN"], "SUBJECT x SEEN"),
        ("SUBJECT x", "SUBJECT x"),
    ],
)
def test_a_charset_that_python_does_not_know_is_the_servers_business(criteria: Any, sent: str) -> None:
    """Bytes can be in any charset, and ASCII is ASCII in all that a command can be in."""
    with dialogue(f"C: A1 UID SEARCH CHARSET ISO-2022-CN {sent}\nS: * SEARCH 4\nS: A1 OK Done") as client:
        assert client.search(criteria, "ISO-2022-CN") == [4]


@pytest.mark.parametrize("criteria", [["SUBJECT", "日本"], ["SUBJECT", "日本".encode("iso-2022-jp")], "SUBJECT 日本"])
def test_a_charset_of_seven_bits(criteria: Any) -> None:
    script = 'Cx: A1 UID SEARCH CHARSET ISO-2022-JP SUBJECT "\\x1b$BF|K\\\\\\\\\\x1b(B"\nS: * SEARCH 4\nS: A1 OK Done'
    with dialogue(script) as client:
        assert client.search(criteria, "ISO-2022-JP") == [4]


def test_nested_criteria_keep_the_charset() -> None:
    script = """
        C: A1 UID SEARCH CHARSET UTF-8 OR (SUBJECT {5}
        S: + go
        C: café) (SUBJECT {4}
        S: + go
        C: thé)
        S: * SEARCH 4
        S: A1 OK Done
    """
    with dialogue(script) as client:
        assert client.search(["OR", ["SUBJECT", "café"], ["SUBJECT", "thé"]], "UTF-8") == [4]


def test_text_in_a_charset_that_python_does_not_know_raises_before_anything_is_sent() -> None:
    with dialogue() as client, pytest.raises(ValueError, match="unknown charset: 'x-nope'"):
        client.search(["SUBJECT", "é"], "x-nope")


# -- a connection in UTF-8, where no charset is named (RFC 6855, 3; RFC 9051, 6.4.4)


def _enable(capability: str) -> str:
    return f"C: A1 ENABLE {capability}\nS: * ENABLED {capability}\nS: A1 OK Done\n"


@pytest.mark.parametrize("capability", ["UTF8=ACCEPT", "IMAP4rev2"])
def test_after_enable_text_goes_without_a_charset(capability: str) -> None:
    script = f"{_enable(capability)}C: A2 UID SEARCH SUBJECT {{2}}\nS: + go\nC: é SEEN\nS: * SEARCH 4\nS: A2 OK Done"
    with dialogue(script, capabilities=f"IMAP4rev1 ENABLE {capability}") as client:
        client.enable(capability)
        assert client.search(["SUBJECT", "é", "SEEN"]) == [4]


@pytest.mark.parametrize("criteria", [["SUBJECT", "é", "SEEN"], 'SUBJECT "é" SEEN', 'SUBJECT "é" SEEN'.encode()])
def test_on_a_server_of_revision_2_only_text_goes_without_a_charset(criteria: Any) -> None:
    script = 'C: A1 UID SEARCH SUBJECT {2}\nS: + go\nC: é SEEN\nS: * ESEARCH (TAG "A1") UID ALL 4\nS: A1 OK Done'
    with dialogue(script, capabilities="IMAP4rev2") as client:
        assert client.search(criteria) == [4]


def test_on_a_server_of_both_revisions_text_goes_with_a_charset() -> None:
    script = "C: A1 UID SEARCH CHARSET UTF-8 SUBJECT {2}\nS: + go\nC: é\nS: * SEARCH 4\nS: A1 OK Done"
    with dialogue(script, capabilities="IMAP4rev1 IMAP4rev2") as client:
        assert client.search(["SUBJECT", "é"]) == [4]


@pytest.mark.parametrize("charset", ["UTF-8", "utf-8", "ISO-2022-JP"])
def test_a_charset_that_the_caller_names_after_enable_is_sent(charset: str) -> None:
    script = f"{_enable('UTF8=ACCEPT')}C: A2 UID SEARCH CHARSET {charset} SUBJECT x\nS: * SEARCH 4\nS: A2 OK Done"
    with dialogue(script, capabilities="IMAP4rev1 ENABLE UTF8=ACCEPT") as client:
        client.enable("UTF8=ACCEPT")
        assert client.search(["SUBJECT", "x"], charset) == [4]


def test_gmail_search_after_enable() -> None:
    script = f"{_enable('UTF8=ACCEPT')}C: A2 UID SEARCH X-GM-RAW {{2}}\nS: + go\nC: é\nS: * SEARCH 4\nS: A2 OK Done"
    with dialogue(script, capabilities=f"{_GMAIL} ENABLE UTF8=ACCEPT") as client:
        client.enable("UTF8=ACCEPT")
        assert client.gmail_search("é") == [4]


def test_only_text_that_is_not_ascii_needs_the_capabilities() -> None:
    """This server does not tell them with its answer to the login."""
    script = """
        C: A1 LOGIN "ann" "secret"
        S: A1 OK Logged in
        C: A2 UID SEARCH SUBJECT x
        S: * SEARCH 1
        S: A2 OK Done
        C: A3 UID SEARCH CHARSET UTF-8 SUBJECT {2}
        S: + go
        C: é
        S: * SEARCH 2
        S: A3 OK Done
        C: A4 CAPABILITY
        S: * CAPABILITY IMAP4rev2
        S: A4 OK Done
        C: A5 UID SEARCH SUBJECT {2}
        S: + go
        C: é
        S: * SEARCH 3
        S: A5 OK Done
    """
    with dialogue(script, login=False) as client:
        client.login("ann", "secret")
        assert client.search(["SUBJECT", "x"]) == [1]
        assert client.search(["SUBJECT", "é"], "UTF-8") == [2]
        assert client.search(["SUBJECT", "é"]) == [3]


# -- BADCHARSET (RFC 9051, 7.1)

_BADCHARSET = "NO [BADCHARSET (US-ASCII KOI8-R UTF-8)] Not that charset"


@pytest.mark.parametrize(
    ("criteria", "charset", "first", "second"),
    [
        (["SUBJECT", "x"], "KOI7", "CHARSET KOI7 SUBJECT x", "CHARSET US-ASCII SUBJECT x"),
        ("SUBJECT x", "KOI7", "CHARSET KOI7 SUBJECT x", "CHARSET US-ASCII SUBJECT x"),
        # US-ASCII can't hold it.
        (
            ["SUBJECT", "Ж"],
            "windows-1251",
            "CHARSET windows-1251 SUBJECT {1}\nS: + go\nCx: \\xc6",
            "CHARSET KOI8-R SUBJECT {1}\nS: + go\nCx: \\xf6",
        ),
        # Nor can KOI8-R.
        (
            ["NOT", ["SUBJECT", "Þ"]],
            "latin-1",
            "CHARSET latin-1 NOT (SUBJECT {1}\nS: + go\nCx: \\xde)",
            "CHARSET UTF-8 NOT (SUBJECT {2}\nS: + go\nC: Þ)",
        ),
        (
            'SUBJECT "Ж" SEEN',
            None,
            "CHARSET UTF-8 SUBJECT {2}\nS: + go\nC: Ж SEEN",
            "CHARSET KOI8-R SUBJECT {1}\nS: + go\nCx: \\xf6 SEEN",
        ),
        (
            iter(["SUBJECT", "Ж"]),
            None,
            "CHARSET UTF-8 SUBJECT {2}\nS: + go\nC: Ж",
            "CHARSET KOI8-R SUBJECT {1}\nS: + go\nCx: \\xf6",
        ),
        # The server knows as soon as it reads the charset.
        (["SUBJECT", "Ж"], None, "CHARSET UTF-8 SUBJECT {2}", "CHARSET KOI8-R SUBJECT {1}\nS: + go\nCx: \\xf6"),
    ],
)
def test_a_charset_that_the_server_asks_for(criteria: Any, charset: str | None, first: str, second: str) -> None:
    script = f"""
        C: A1 UID SEARCH {first}
        S: A1 {_BADCHARSET}
        C: A2 UID SEARCH {second}
        S: * SEARCH 4
        S: A2 OK Done
    """
    with dialogue(script) as client:
        assert client.search(criteria, charset) == [4]


@pytest.mark.parametrize(
    ("criteria", "charset", "answer"),
    [
        # Which charset bytes are in, only the caller knows.
        (["SUBJECT", b"x"], "KOI7", _BADCHARSET),
        ([b"SUBJECT", "x"], "KOI7", _BADCHARSET),
        (b"SUBJECT x", "KOI7", _BADCHARSET),
        # It names none, or none that has the text, or what was tried, or what is no charset.
        (["SUBJECT", "x"], "KOI7", "NO [BADCHARSET] No"),
        (["SUBJECT", "x"], "KOI7", "NO [BADCHARSET ()] No"),
        (["SUBJECT", "x"], "KOI7", "NO [BADCHARSET 5] No"),
        (["SUBJECT", "x"], "KOI7", 'NO [BADCHARSET (koi7 5 (a) NIL "a b")] No'),
        (["SUBJECT", "é"], "UTF-8", "NO [BADCHARSET (US-ASCII KOI8-R utf-8 X-NOPE HEX UTF-16)] No"),
        (["SUBJECT", "é"], None, "NO [BADCHARSET (US-ASCII utf-8)] No"),
        # RFC 9051 has it with NO only.
        (["SUBJECT", "x"], "KOI7", "BAD [BADCHARSET (US-ASCII UTF-8)] No"),
    ],
)
def test_a_charset_that_the_server_does_not_know(criteria: Any, charset: str | None, answer: str) -> None:
    wire = "SUBJECT {2}\nS: + go\nC: é" if criteria[1] == "é" else "SUBJECT x"
    script = f"C: A1 UID SEARCH CHARSET {charset or 'UTF-8'} {wire}\nS: A1 {answer}\nC: A2 NOOP\nS: A2 OK Done"
    with dialogue(script) as client:
        with pytest.raises(BadCharsetError) as caught:
            client.search(criteria, charset)
        assert isinstance(caught.value, InvalidCriteriaError)
        assert caught.value.status == answer.split()[0]
        assert caught.value.code is not None
        assert caught.value.code[0] == b"BADCHARSET"
        assert client.noop() == (b"Done", [])


def test_a_charset_is_changed_only_once() -> None:
    script = f"""
        C: A1 UID SEARCH CHARSET KOI7 SUBJECT x
        S: A1 {_BADCHARSET}
        C: A2 UID SEARCH CHARSET US-ASCII SUBJECT x
        S: A2 NO [BADCHARSET (UTF-8)] Changed my mind
    """
    with dialogue(script) as client, pytest.raises(BadCharsetError, match="Changed my mind"):
        client.search(["SUBJECT", "x"], "KOI7")


def test_a_changed_charset_is_that_of_all_parts() -> None:
    many = range(1000000, 1003000, 2)
    first, second = (",".join(map(str, many[:1000])), ",".join(map(str, many[1000:])))
    script = f"""
        C: A1 UID SEARCH CHARSET KOI7 UID {first} SUBJECT x
        S: A1 {_BADCHARSET}
        C: A2 UID SEARCH CHARSET US-ASCII UID {first} SUBJECT x
        S: * SEARCH 1000004
        S: A2 OK Done
        C: A3 UID SEARCH CHARSET US-ASCII UID {second} SUBJECT x
        S: * SEARCH 1002998
        S: A3 OK Done
    """
    with dialogue(script) as client:
        assert client.search(["UID", list(many), "SUBJECT", "x"], "KOI7") == [1000004, 1002998]


def test_gmail_search_in_a_charset_that_the_server_asks_for() -> None:
    script = f"""
        C: A1 UID SEARCH CHARSET UTF-8 X-GM-RAW {{2}}
        S: A1 {_BADCHARSET}
        C: A2 UID SEARCH CHARSET KOI8-R X-GM-RAW {{1}}
        S: + go
        Cx: \\xf6
        S: * SEARCH 4
        S: A2 OK Done
    """
    with dialogue(script, capabilities=_GMAIL) as client:
        assert client.gmail_search("Ж") == [4]
