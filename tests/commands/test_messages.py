"""APPEND, COPY, MOVE, EXPUNGE."""

from __future__ import annotations

import datetime
from typing import Any, Callable

import pytest

from imapclient.exceptions import CapabilityError, CommandError
from tests.commands import CAPABILITIES, Case, dialogue, in_every_way, types, unsolicited

_EXPUNGE = frozenset((b"EXPUNGE", b"VANISHED"))

CASES = [
    Case(
        "append",
        lambda client: client.append("Entwürfe", b"Subject: x\r\n\r\nhi"),
        'C: A1 APPEND "Entw&APw-rfe" {16}\nS: + go\nCx: Subject: x\\r\\n\\r\\nhi',
        "",
        b"Done",
    ),
    Case("copy", lambda client: client.copy([3, 1, 2], "x y"), 'C: A1 UID COPY 1:3 "x y"', "", b"Done"),
    Case(
        "copy-sequence-numbers",
        lambda client: client.copy(3, "x"),
        'C: A1 COPY 3 "x"',
        "",
        b"Done",
        use_uid=False,
    ),
    Case("move", lambda client: client.move("1:*", "x y"), 'C: A1 UID MOVE 1:* "x y"', "", b"Done", needs="MOVE"),
    Case(
        "move-sequence-numbers",
        lambda client: client.move(3, "x"),
        'C: A1 MOVE 3 "x"',
        "",
        b"Done",
        needs="MOVE",
        use_uid=False,
    ),
    Case(
        "expunge",
        lambda client: client.expunge(),
        "C: A1 EXPUNGE",
        "S: * 2 EXPUNGE\nS: * 2 EXPUNGE\nS: * 5 EXPUNGE",
        (b"Done", [(2, b"EXPUNGE"), (2, b"EXPUNGE"), (5, b"EXPUNGE")]),
        own=_EXPUNGE,
    ),
    Case(
        "expunge-ids",
        lambda client: client.expunge([7, 8]),
        "C: A1 UID EXPUNGE 7:8",
        "S: * 2 EXPUNGE",
        (b"Done", [(2, b"EXPUNGE")]),
        needs="UIDPLUS",
        own=_EXPUNGE,
    ),
    Case(
        "uid-expunge",
        lambda client: client.uid_expunge("7:9"),
        "C: A1 UID EXPUNGE 7:9",
        "S: * 2 EXPUNGE\nS: * VANISHED 8:9",
        (b"Done", [(2, b"EXPUNGE"), (b"VANISHED", b"8:9")]),
        needs="UIDPLUS",
        own=_EXPUNGE,
    ),
    Case(
        "uid-expunge-with-sequence-numbers-on",
        lambda client: client.uid_expunge(7),
        "C: A1 UID EXPUNGE 7",
        "",
        (b"Done", []),
        needs="UIDPLUS",
        own=_EXPUNGE,
        use_uid=False,
    ),
]


@pytest.mark.parametrize(("case", "way"), in_every_way(CASES))
def test_dialogue(case: Case, way: Callable[[Case], None]) -> None:
    way(case)


# -- APPEND

_PLAIN = "IMAP4rev1"


def _appended(call: Callable[[Any], Any], *script: Any, capabilities: str = _PLAIN) -> None:
    with dialogue([*script, "S: A1 OK [APPENDUID 38505 3955] Done"], capabilities=capabilities) as client:
        result = call(client)
        assert result == b"[APPENDUID 38505 3955] Done"
        assert isinstance(result, bytes)


@pytest.mark.parametrize(
    ("message", "sent"),
    [
        (b"a\r\n\r\nb\r\n", "a\\r\\n\\r\\nb\\r\\n"),
        (b"bare\nline\rfeeds\n", "bare\\nline\\rfeeds\\n"),
        (b"8-bit \xff\xe9", "8-bit \\xff\\xe9"),
        ("texté".encode(), "text\\xc3\\xa9"),
        (b"nul \0 in it", "nul \\0 in it"),
        (b"", ""),
        (b")\r\nA999 NOOP\r\n", ")\\r\\nA999 NOOP\\r\\n"),
        (b"ends as a literal's announcement {5}", "ends as a literal's announcement {5}"),
        (b".\r\n", ".\\r\\n"),
    ],
    ids=repr,
)
def test_a_message_goes_out_byte_for_byte(message: bytes, sent: str) -> None:
    length = len(message)
    _appended(
        lambda client: client.append("x", message),
        f'C: A1 APPEND "x" {{{length}}}\nS: + go\nCx: {sent}',
    )
    _appended(
        lambda client: client.append("x", message),
        f'C: A1 APPEND "x" {{{length}+}}\nCx: {sent}',
        capabilities="IMAP4rev1 LITERAL+",
    )
    _appended(
        lambda client: client.append("x", message),
        f'C: A1 APPEND "x" {{{length}+}}\nCx: {sent}',
        capabilities="IMAP4rev1 LITERAL-",
    )


def test_a_str_goes_out_as_utf8() -> None:
    _appended(lambda client: client.append("x", "é\r\n"), 'C: A1 APPEND "x" {4}\nS: + go\nCx: é\\r\\n')


@pytest.mark.parametrize("capabilities", ["IMAP4rev1 BINARY", "IMAP4rev1 BINARY LITERAL+", "IMAP4rev1 BINARY LITERAL-"])
def test_nul_goes_out_as_literal8_where_the_server_has_binary(capabilities: str) -> None:
    _appended(
        lambda client: client.append("x", b"a\0\n"),
        'C: A1 APPEND "x" ~{3}\nS: + go\nCx: a\\0\\n',
        capabilities=capabilities,
    )


def test_without_nul_binary_changes_nothing() -> None:
    _appended(
        lambda client: client.append("x", b"a"),
        'C: A1 APPEND "x" {1}\nS: + go\nC: a',
        capabilities="IMAP4rev1 BINARY",
    )


@pytest.mark.parametrize(
    ("capabilities", "size", "announced"),
    [
        ("IMAP4rev1 LITERAL-", 4096, "{4096+}\n"),
        ("IMAP4rev1 LITERAL-", 4097, "{4097}\nS: + go\n"),
        ("IMAP4rev1 LITERAL+", 4097, "{4097+}\n"),
        ("IMAP4rev1", 1, "{1}\nS: + go\n"),
        ("IMAP4rev1 LITERAL+", 300000, "{300000+}\n"),
        ("IMAP4rev1", 300000, "{300000}\nS: +\n"),
    ],
)
def test_sizes(capabilities: str, size: int, announced: str) -> None:
    _appended(
        lambda client: client.append("x", b"z" * size),
        f'C: A1 APPEND "x" {announced}C: {"z" * size}',
        capabilities=capabilities,
    )


@pytest.mark.parametrize(
    ("flags", "sent"),
    [
        ((), ""),
        ([], ""),
        ("\\Seen", "(\\Seen) "),
        (b"\\Seen", "(\\Seen) "),
        (["\\Seen", b"Work"], "(\\Seen Work) "),
        (iter(["a"]), "(a) "),
    ],
    ids=lambda value: repr(value)[:16],
)
def test_flags(flags: Any, sent: str) -> None:
    _appended(
        lambda client: client.append("x", b"m", flags),
        f'C: A1 APPEND "x" {sent}{{1}}\nS: + go\nC: m',
    )


@pytest.mark.parametrize("flag", ["x\r\nA999 NOOP", "a b", "", "(", '"a"', "\\", "\0", "é", b"\xff"])
def test_what_is_no_flag_is_refused_before_anything_is_sent(flag: Any) -> None:
    with dialogue() as client:
        for flags in (flag, ["\\Seen", flag]):
            with pytest.raises(ValueError, match="flag"):
                client.append("x", b"m", flags)


@pytest.mark.parametrize(
    ("zone", "sent"),
    [
        (datetime.timezone.utc, "+0000"),
        (datetime.timezone(datetime.timedelta(hours=5, minutes=30)), "+0530"),
        (datetime.timezone(-datetime.timedelta(hours=3, minutes=30)), "-0330"),
    ],
)
def test_an_aware_time_keeps_its_zone(zone: datetime.tzinfo, sent: str) -> None:
    moment = datetime.datetime(2020, 2, 1, 10, 11, 12, 999999, tzinfo=zone)
    _appended(
        lambda client: client.append("x", b"m", ("a",), moment),
        f'C: A1 APPEND "x" (a) "01-Feb-2020 10:11:12 {sent}" {{1}}\nS: + go\nC: m',
    )


@pytest.mark.usefixtures("in_berlin")
@pytest.mark.parametrize(("month", "sent"), [(1, "01-Jan-2020 10:11:12 +0100"), (7, "01-Jul-2020 10:11:12 +0200")])
def test_a_naive_time_is_local(month: int, sent: str) -> None:
    moment = datetime.datetime(2020, month, 1, 10, 11, 12)
    _appended(
        lambda client: client.append("x", b"m", msg_time=moment),
        f'C: A1 APPEND "x" "{sent}" {{1}}\nS: + go\nC: m',
    )


def test_append_refused_at_its_literal() -> None:
    script = """
        C: A1 APPEND "x" {3}
        S: * 7 EXISTS
        S: A1 NO [TRYCREATE] No such folder
        C: A2 NOOP
        S: A2 OK Done
    """
    with dialogue(script) as client:
        with pytest.raises(CommandError, match="No such folder") as caught:
            client.append("x", b"abc")
        assert caught.value.code == (b"TRYCREATE", ())
        assert caught.value.command == "APPEND"
        assert client.noop() == (b"Done", [])


def test_data_ahead_of_the_word_to_go_on() -> None:
    script = """
        C: A1 APPEND "x" {3}
        S: * 7 EXISTS
        S: * OK [ALERT] + look out {3}
        S: +
        C: abc
        S: A1 ok done
    """
    with dialogue(script, chunk=1) as client:
        assert client.append("x", b"abc") == b"done"
        assert unsolicited(client) == [(7, b"EXISTS", b""), (None, b"OK", b"[ALERT] + look out {3}")]


@pytest.mark.parametrize("message", [None, 5, ["x"], object()])
def test_what_is_no_message_is_refused_before_anything_is_sent(message: Any) -> None:
    with dialogue() as client, pytest.raises(TypeError):
        client.append("x", message)


# -- COPY and MOVE


def test_copy_and_move_return_the_text_with_its_code() -> None:
    script = """
        C: A1 UID COPY 1:2 "x"
        S: A1 OK [COPYUID 38505 1:2 5:6] Copied
        C: A2 UID MOVE 1 {4}
        S: + go
        Cx: caf\\xe9
        S: * OK [COPYUID 38505 1 7] Moved
        S: * 1 EXPUNGE
        S: A2 OK Done
    """
    with dialogue(script) as client:
        assert client.copy([1, 2], "x") == b"[COPYUID 38505 1:2 5:6] Copied"
        assert client.move(1, b"caf\xe9") == b"Done"
        assert unsolicited(client) == [(None, b"OK", b"[COPYUID 38505 1 7] Moved"), (1, b"EXPUNGE", b"")]


def test_copy_to_a_folder_that_is_not_there() -> None:
    script = 'C: A1 UID COPY 1 "x"\nS: A1 NO [TRYCREATE] No such folder'
    with dialogue(script) as client:
        with pytest.raises(CommandError, match="No such folder") as caught:
            client.copy(1, "x")
        assert caught.value.code == (b"TRYCREATE", ())
        assert vars(caught.value)["done"] == ""


# -- EXPUNGE


def test_expunge_of_all_and_of_none() -> None:
    with dialogue("C: A1 EXPUNGE\nS: A1 OK Done") as client:
        assert client.expunge() == (b"Done", [])
        empty = client.expunge([])
        assert empty == (b"", [])
        assert types(empty) == types((b"", []))


def test_expunge_gives_the_uids_that_vanished() -> None:
    script = "C: A1 EXPUNGE\nS: * VANISHED 405,407:410\nS: A1 OK Done"
    with dialogue(script) as client:
        assert client.expunge() == (b"Done", [(b"VANISHED", b"405,407:410")])


def test_an_expunge_that_nobody_asked_for_is_kept_apart() -> None:
    script = """
        C: A1 UID COPY 1 "x"
        S: * 3 EXPUNGE
        S: A1 OK Done
        C: A2 EXPUNGE
        S: A2 OK Done
    """
    with dialogue(script) as client:
        client.copy(1, "x")
        assert client.expunge() == (b"Done", [])
        assert unsolicited(client) == [(3, b"EXPUNGE", b"")]


def test_expunge_of_some_never_becomes_expunge_of_all() -> None:
    with dialogue(capabilities=_PLAIN) as client:
        with pytest.raises(CapabilityError, match="UIDPLUS"):
            client.expunge([1])
        with pytest.raises(CapabilityError, match="UIDPLUS"):
            client.uid_expunge([1])


def test_capabilities_are_asked_for_where_they_are_not_known() -> None:
    script = f"""
        C: A1 CAPABILITY
        S: * CAPABILITY {CAPABILITIES}
        S: A1 OK Done
        C: A2 UID MOVE 1 "x"
        S: A2 OK Done
        C: A3 UID EXPUNGE 1
        S: A3 OK Done
    """
    with dialogue(script, capabilities=None) as client:
        client.move(1, "x")
        client.uid_expunge(1)
