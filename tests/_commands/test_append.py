"""APPEND and MULTIAPPEND: what goes out for each message, what is refused before, and the UIDs that come back."""

from __future__ import annotations

import datetime
from typing import Any, Callable

import pytest

from imapclient._parsing.uid_codes import AppendReply
from imapclient.exceptions import CapabilityError, CommandError, OverQuotaError, TooBigError, TryCreateError
from imapclient.sequence_set import UidSet
from tests.helpers.dialogue import dialogue, unsolicited
from tests.helpers.uid_codes import known

_PLAIN = "IMAP4rev1"
_MULTI = "IMAP4rev1 MULTIAPPEND"


def _appended(call: Callable[[Any], Any], *script: Any, capabilities: str = _PLAIN) -> None:
    with dialogue([*script, "S: A1 OK [APPENDUID 38505 3955] Done"], capabilities=capabilities) as client:
        result = call(client)
        assert result == b"[APPENDUID 38505 3955] Done"
        assert type(result) is AppendReply
        assert result.uidvalidity == 38505
        assert result.uids == UidSet("3955")


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


@pytest.mark.parametrize("message", [bytearray(b"a\r\n"), memoryview(b"a\r\n")], ids=["bytearray", "memoryview"])
def test_bytes_of_another_type(message: Any) -> None:
    sent = 'C: A1 APPEND "x" {3}\nS: + go\nCx: a\\r\\n'
    _appended(lambda client: client.append("x", message), sent)
    _appended(lambda client: client.multiappend("x", [message]), sent, capabilities=_MULTI)
    _appended(lambda client: client.multiappend("x", [{"msg": message}]), sent, capabilities=_MULTI)


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


@pytest.mark.parametrize("flag", ["x\r\nA999 NOOP", "", "(", '"a"', "\\", "\0", "é", b"\xff"])
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


@pytest.mark.parametrize(
    ("code", "error"), [("TRYCREATE", TryCreateError), ("OVERQUOTA", OverQuotaError), ("TOOBIG", TooBigError)]
)
def test_append_refused_at_its_literal(code: str, error: type[CommandError]) -> None:
    script = f"""
        C: A1 APPEND "x" {{3}}
        S: * 7 EXISTS
        S: A1 NO [{code}] Not here
        C: A2 NOOP
        S: A2 OK Done
    """
    with dialogue(script) as client:
        with pytest.raises(error, match="Not here") as caught:
            client.append("x", b"abc")
        assert caught.value.code == (code.encode(), ())
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


@pytest.mark.parametrize("when", ["01-Feb-2020 10:11:12 +0000", datetime.date(2020, 2, 1), 5, b"x"])
def test_what_is_no_time_is_refused_before_anything_is_sent(when: Any) -> None:
    with dialogue(capabilities=_MULTI) as client:
        with pytest.raises(TypeError, match="must be a datetime"):
            client.append("x", b"m", (), when)
        with pytest.raises(TypeError, match=r"msgs\[0\]: the date of a message must be a datetime"):
            client.multiappend("x", [{"msg": b"m", "date": when}])


# -- where the server puts APPENDUID


@pytest.mark.parametrize(
    ("untagged", "tagged", "validity", "uids"),
    [
        ("", "[APPENDUID 38505 3955] Done", 38505, "3955"),
        ("", "[appenduid 38505 3955] done", 38505, "3955"),
        ("S: * OK [APPENDUID 38505 3955] Soon", "Done", 38505, "3955"),
        ("S: * ok [AppendUID 38505 3955]", "Done", 38505, "3955"),
        ("S: * OK [APPENDUID 38505 3955] Soon", "[APPENDUID 38505 3955] Done", 38505, "3955"),
        ("", "[APPENDUID 4294967295 4294967295] Done", 4294967295, "4294967295"),
        ("", "Done", None, None),
        ("", "[APPENDUID 1 *] Done", None, None),
        ("", "[APPENDUID 1  ] Done", None, None),
        ("", "[APPENDUID 1 99999999999] Done", None, None),
        ("", "[UIDNEXT 5] Done", None, None),
        ("", "[APPENDUID 1 2", None, None),
    ],
)
def test_appenduid(untagged: str, tagged: str, validity: int | None, uids: str | None) -> None:
    script = f'C: A1 APPEND "x" {{1}}\nS: + go\nC: m\n{untagged}\nS: A1 OK {tagged}'
    with dialogue(script) as client:
        assert known(client.append("x", b"m")) == (tagged.encode(), validity, uids, None)
        assert unsolicited(client) == []


def test_what_else_is_told_in_an_untagged_ok_is_handed_on() -> None:
    """A code that can't be read, or another command's, is somebody else's; one that was taken is not told twice."""
    script = """
        C: A1 APPEND "x" {1}
        S: * OK [APPENDUID 5 *] Odd
        S: + go
        C: m
        S: * OK [ALERT] Look out
        S: * OK [APPENDUID 5 6] Soon
        S: * OK [COPYUID 5 6 7] Whose?
        S: * OK No code
        S: A1 OK Done
    """
    heard: list[Any] = []
    with dialogue(script) as client:
        client.on_unsolicited = heard.append
        assert known(client.append("x", b"m")) == (b"Done", 5, "6", None)
    assert heard == [
        (b"OK", b"[APPENDUID 5 *] Odd"),
        (b"OK", b"[ALERT] Look out"),
        (b"OK", b"[COPYUID 5 6 7] Whose?"),
        (b"OK", b"No code"),
    ]


# -- a header in UTF-8

_UTF8_MESSAGE = "Subject: café\r\n\r\n".encode()
_IS_UTF8 = "IMAP4rev1 ENABLE UTF8=ACCEPT MULTIAPPEND"


def _enable(capability: str) -> str:
    return f"C: A5 ENABLE {capability}\nS: * ENABLED {capability}\nS: A5 OK Done\n"


def test_a_header_in_utf8_after_enable() -> None:
    script = f"""
        {_enable("UTF8=ACCEPT")}
        C: A1 APPEND "x" (\\Seen) UTF8 (~{{18}}
        S: + go
        Cx: Subject: café\\r\\n\\r\\n)
        S: A1 OK [APPENDUID 5 7] Done
        C: A2 APPEND "x" {{19}}
        S: + go
        Cx: Subject: cafe\\r\\n\\r\\né
    """
    with dialogue(f"{script}\nS: A2 OK Done", capabilities=_IS_UTF8) as client:
        client.enable("UTF8=ACCEPT")
        assert known(client.append("x", _UTF8_MESSAGE, "\\Seen")) == (b"[APPENDUID 5 7] Done", 5, "7", None)
        # Its body alone is 8-bit.
        client.append("x", "Subject: cafe\r\n\r\né")


@pytest.mark.parametrize("enabled", [(), ("IMAP4rev2",), ("IMAP4rev2", "UTF8=ACCEPT")])
def test_a_header_in_utf8_is_no_other_message_before_enable_and_in_imap4rev2(enabled: tuple[str, ...]) -> None:
    """Before ENABLE the server need not know the UTF8 extension (RFC 6855, 3); RFC 9051, 6.3.12 has none."""
    script = "".join(map(_enable, enabled)) + 'C: A1 APPEND "x" {18+}\nCx: Subject: café\\r\\n\\r\\n'
    with dialogue(f"{script}\nS: A1 OK Done", capabilities=f"{_IS_UTF8} IMAP4rev2") as client:
        for capability in enabled:
            client.enable(capability)
        assert client.append("x", _UTF8_MESSAGE) == b"Done"


def test_a_header_in_utf8_stands_behind_flags_for_courier() -> None:
    script = f"""
        {_enable("UTF8=ACCEPT")}
        C: A1 APPEND "x" () UTF8 (~{{18}}
        S: + OK
        Cx: Subject: café\\r\\n\\r\\n)
        S: A1 OK [APPENDUID 795636890 1] APPEND Ok.
        C: A2 APPEND "x" {{1}}
        S: + OK
        Cx: m
        S: A2 OK APPEND Ok.
    """
    with dialogue(script, capabilities=_IS_UTF8) as client:
        client.enable("UTF8=ACCEPT")
        # Without them it answers "A1 NO Error in IMAP command received by server."
        client.append("x", _UTF8_MESSAGE)
        client.append("x", "m")


def test_multiappend_with_headers_in_utf8() -> None:
    script = f"""
        {_enable("UTF8=ACCEPT")}
        C: A1 APPEND "x" () UTF8 (~{{18}}
        S: + go
        Cx: Subject: café\\r\\n\\r\\n) {{1}}
        S: + go
        C: m (\\Seen) UTF8 (~{{18}}
        S: + go
        Cx: Subject: café\\r\\n\\r\\n)
        S: A1 OK Done
    """
    with dialogue(script, capabilities=_IS_UTF8) as client:
        client.enable("UTF8=ACCEPT")
        client.multiappend("x", [_UTF8_MESSAGE, "m", {"msg": _UTF8_MESSAGE.decode(), "flags": b"\\Seen"}])


# -- MULTIAPPEND


def _multiappended(messages: Any, count: int, script: str, capabilities: str = _MULTI) -> None:
    uids = {1: "3955", 2: "3955,3957", 3: "3955,3957:3958"}[count]
    code = f"[APPENDUID 38505 {uids}] Done"
    with dialogue(f"{script}\nS: A1 OK {code}", capabilities=capabilities) as client:
        reply = client.multiappend("x", messages)
        assert type(reply) is AppendReply
        assert known(reply) == (code.encode(), 38505, uids, None)


_WHEN = datetime.datetime(2020, 2, 1, 10, 11, 12, tzinfo=datetime.timezone.utc)


@pytest.mark.parametrize(
    ("messages", "sent"),
    [
        ([b"one"], ["{3}", "one"]),
        ([b"one", "two"], ["{3}", "one {3}", "two"]),
        (lambda: (text for text in (b"a", b"b", b"c")), ["{1}", "a {1}", "b {1}", "c"]),
        (({"msg": b"m"}, {"msg": "é"}), ["{1}", "m {2}", "é"]),
        (
            [{"msg": b"m", "flags": ("\\Seen", b"Work"), "date": _WHEN}, b"n"],
            ['(\\Seen Work) "01-Feb-2020 10:11:12 +0000" {1}', "m {1}", "n"],
        ),
        ([b"m", {"msg": b"n", "date": _WHEN}], ["{1}", 'm "01-Feb-2020 10:11:12 +0000" {1}', "n"]),
        ([b"m", {"msg": b"n", "flags": iter(["a"])}], ["{1}", "m (a) {1}", "n"]),
        ([{"msg": b"m", "flags": "a"}], ["(a) {1}", "m"]),
        ([{"msg": b"m", "flags": (), "date": None}], ["{1}", "m"]),
        ([{"msg": b"m", "flags": None}], ["{1}", "m"]),
        ([{"msg": b"m", "msg_time": _WHEN, "id": 5}], ["{1}", "m"]),
        (lambda: {"one": b"m", "two": b"n"}.values(), ["{1}", "m {1}", "n"]),
        ([b"NOOP) {5}", b" "], ["{9}", "NOOP) {5} {1}", " "]),
    ],
)
def test_multiappend(messages: Any, sent: list[str]) -> None:
    """The script's lines are what goes out between the server's words to go on."""
    lines = [f'C: A1 APPEND "x" {sent[0]}', *(f"S: + go\nC: {line}" for line in sent[1:])]
    count = len(list(messages() if callable(messages) else messages))
    _multiappended(messages() if callable(messages) else messages, count, "\n".join(lines))


def test_multiappend_without_waiting() -> None:
    capabilities = f"{_MULTI} LITERAL+ BINARY"
    script = 'C: A1 APPEND "x" {1+}\nC: a (\\Seen) ~{2}\nS: +\nCx: b\\0 {1+}\nC: c'
    _multiappended([b"a", {"msg": b"b\0", "flags": "\\Seen"}, b"c"], 3, script, capabilities)


def test_multiappend_without_binary_sends_nul_as_it_is() -> None:
    _multiappended([b"a\0", b"b"], 2, 'C: A1 APPEND "x" {2}\nS: + go\nCx: a\\0 {1}\nS: + go\nC: b')


def _bad_last(item: Any) -> Any:
    return [b"a", {"msg": b"b"}, item]


@pytest.mark.parametrize(
    ("item", "error", "says"),
    [
        ({}, ValueError, "must contain 'msg'"),
        ({"flags": ("\\Seen",)}, ValueError, "must contain 'msg'"),
        ({b"msg": b"m"}, ValueError, "must contain 'msg'"),
        ({"msg": None}, ValueError, "must contain 'msg'"),
        (b"", ValueError, "empty"),
        ("", ValueError, "empty"),
        ({"msg": b""}, ValueError, "empty"),
        ("\ud800", ValueError, "surrogates"),
        (None, TypeError, "None"),
        (5, TypeError, "int"),
        ([b"m"], TypeError, "list"),
        ({"msg": 5}, TypeError, "int"),
        ({"msg": b"m", "flags": 5}, TypeError, "int"),
        ({"msg": b"m", "flags": ["é"]}, ValueError, "not a valid flag"),
        ({"msg": b"m", "flags": [b"\xff"]}, ValueError, "not a valid flag"),
        ({"msg": b"m", "flags": ["a b"]}, ValueError, "not a valid flag"),
        ({"msg": b"m", "flags": ["x\r\nA999 NOOP"]}, ValueError, "not a valid flag"),
    ],
)
def test_one_message_that_can_not_be_sent_stops_all(item: Any, error: type[Exception], says: str) -> None:
    """Before anything is sent. The error has its index."""
    with dialogue(capabilities=_MULTI) as client:
        for messages in (_bad_last(item), iter(_bad_last(item))):
            with pytest.raises(error, match=says) as caught:
                client.multiappend("x", messages)
            assert str(caught.value).startswith("msgs[2]: ")


@pytest.mark.parametrize("nothing", [list, tuple, set, lambda: iter(())])
def test_multiappend_of_nothing(nothing: Callable[[], Any]) -> None:
    """The command would have no message, which is no command."""
    with dialogue(capabilities=_MULTI) as client, pytest.raises(ValueError, match="must not be empty"):
        client.multiappend("x", nothing())


@pytest.mark.parametrize("message", ["one", b"one", {"msg": b"one"}])
def test_multiappend_of_a_message_is_a_mistake(message: Any) -> None:
    """Its letters are not meant, nor its keys."""
    with dialogue(capabilities=_MULTI) as client, pytest.raises(TypeError, match="not a single message"):
        client.multiappend("x", message)


def test_an_error_of_a_generator_comes_through_before_anything_is_sent() -> None:
    def broken() -> Any:
        yield b"a"
        raise ZeroDivisionError

    with dialogue(capabilities=_MULTI) as client, pytest.raises(ZeroDivisionError):
        client.multiappend("x", broken())


def test_multiappend_without_the_capability_leaves_a_generator_alone() -> None:
    """So its messages can be appended one by one."""
    messages = iter([b"a", b"b"])
    with dialogue() as client, pytest.raises(CapabilityError, match="does not support MULTIAPPEND"):
        client.multiappend("x", messages)
    assert list(messages) == [b"a", b"b"]


def test_multiappend_refused_between_its_literals() -> None:
    script = """
        C: A1 APPEND "x" {1}
        S: + go
        C: a (\\Seen) {1}
        S: * 7 EXISTS
        S: A1 NO [OVERQUOTA] Full
        C: A2 NOOP
        S: A2 OK Done
    """
    with dialogue(script, capabilities=_MULTI) as client:
        with pytest.raises(OverQuotaError, match="Full") as caught:
            client.multiappend("x", [b"a", {"msg": b"b", "flags": "\\Seen"}, b"c"])
        assert caught.value.command == "APPEND"
        assert client.noop() == (b"Done", [])
