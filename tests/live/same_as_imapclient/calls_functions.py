"""Functions and types that need no server."""

from __future__ import annotations

import copy
import operator
import os
import pickle
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date, datetime, timedelta, timezone
from typing import Any, Callable

import imapclient
from imapclient import datetime_util, exceptions, fixed_offset, imap_utf7, response_lexer, util
from imapclient import imapclient as module
from imapclient import response_parser as parser
from imapclient import response_types as types

from .recording import Recording, shown


def _each(recording: Recording, function: Callable[..., Any], arguments: tuple[Any, ...]) -> None:
    """Call the function with each of the arguments."""
    for argument in arguments:
        recording.call(f"{function.__name__}({shown(argument)})", function, argument)


def constants(recording: Recording) -> None:
    for name in ("ANSWERED", "DELETED", "DRAFT", "FLAGGED", "RECENT", "SEEN"):
        recording.call(name, getattr, imapclient, name)
    for name in ("ALL", "ARCHIVE", "DRAFTS", "JUNK", "SENT", "TRASH", "SEEN"):
        recording.call(f"imapclient.{name}", getattr, module, name)
    for name in ("IMAPClientError", "IMAPClientAbortError", "IMAPClientReadOnlyError", "ProtocolError", "LoginError"):
        recording.call(name, issubclass, getattr(exceptions, name), module.IMAPClient.Error)
    for name in ("CapabilityError", "IllegalStateError", "InvalidCriteriaError", "LoginError", "ProtocolError"):
        for arguments in (("text",), (), ("text", 5)):
            recording.call(f"{name}{arguments}", _message, getattr(exceptions, name), arguments)
    recording.call("version_info", lambda: type(imapclient.version_info))
    recording.call("__version__", lambda: type(imapclient.__version__))


def _message(kind: type[Exception], arguments: tuple[object, ...]) -> str:
    return str(kind(*arguments))


def parsing(recording: Recording) -> None:
    _each(
        recording,
        parser.parse_response,
        (
            [b""],
            [],
            [None],
            [b"FOO"],
            [b"FOO BAR"],
            [b'"TEST"'],
            [b'"a \\"quoted\\" word"'],
            [b"1234"],
            [b"0"],
            [b"007"],
            [b"-1"],
            [b"12.5"],
            [b"(1 2 (3 4) NIL)"],
            [b"()"],
            [b"(FOO)"],
            [b"(FLAGS (\\Seen) UID 1)"],
            [b"NIL"],
            [b'""'],
            [(b"{5}", b"hello")],
            [(b"FOO {5}", b"hello"), b" BAR"],
            [(b"(a {0}", b""), b")"],
            [b"BODY[HEADER.FIELDS (A B)] x"],
            [b"BODY[TEXT]<0> x"],
            [b'a"b'],
            [b"a\\b"],
            [b"(foo"],
            [b"foo)"],
            [b'"foo'],
            [b"{5}"],
            [b"a  b"],
            [b"\xe4\xfc"],
            [b"*"],
            [b"a", b"b"],
            [b'(\\Noselect) "/" 123'],
            [b"123 (MESSAGES 4)"],
            [b"123 (FLAGS ())"],
        ),
    )
    _each(
        recording,
        parser.parse_message_list,
        (
            [b""],
            [b"1"],
            [b"1 2 3"],
            [None],
            [],
            [b"1 2 (MODSEQ 9)"],
            [b"(MODSEQ 9)"],
            [b"3", b"4"],
            [b"1 x"],
            [b" 1  2 "],
            ["1 2"],
            [b"1 2 (modseq 9)"],
        ),
    )
    for text, options in (
        ([None], {}),
        ([], {}),
        ([b"4 ()"], {}),
        ([b"4 (FLAGS (\\Seen) UID 7)"], {}),
        ([b"4 (FLAGS (\\Seen) UID 7)"], {"uid_is_key": False}),
        ([b"4 (FLAGS ())"], {}),
        ([b"4 (FLAGS ())", b"5 (UID 8 FLAGS (x))"], {}),
        ([b'1 (INTERNALDATE " 9-Feb-2007 17:08:08 +0430")'], {}),
        ([b'1 (INTERNALDATE " 9-Feb-2007 17:08:08 +0430")'], {"normalise_times": False}),
        ([(b"1 (UID 3 BODY[] {2}", b"xy"), b")"], {}),
        ([b"4 FOO"], {}),
        ([b"FOO (UID 1)"], {}),
        ([b"4 (UID x)"], {}),
        ([b"4 (FLAGS"], {}),
        ([b"4 (FLAGS)"], {}),
        ([b"(UID 1)"], {}),
    ):
        label = f"parse_fetch_response({text!r}, {options!r})"
        recording.call(label, parser.parse_fetch_response, text, **options)
    recording.call("TokenSource", lambda: list(response_lexer.TokenSource([b'a "b c" (1)', (b"{2}", b"xy"), b""])))
    recording.call("TokenSource literals", lambda: list(_literals([(b"a {2}", b"xy"), b" b"])))


def _literals(text: list[Any]) -> Iterator[Any]:
    source = response_lexer.TokenSource(text)
    for token in source:
        yield token, source.current_literal


def names(recording: Recording) -> None:
    texts = ("", "foo", "Entwürfe", "a&b", "&", "~peter/mail/台北/日本語", "😀", "a\x00b", "ä&ö", "+", "€", "foo&")
    _each(recording, imap_utf7.encode, (*texts, b"bytes", b"\xff", None, 5))
    encoded = (
        b"",
        b"foo",
        b"Entw&APw-rfe",
        b"a&-b",
        b"&-",
        b"~peter/mail/&U,BTF2XlZyyKng-",
        b"&2D3eAA-",
        b"&AOQ-&-&APY-",
    )
    _each(recording, imap_utf7.decode, (*encoded, b"\xe4", b"&", b"&&", b"&x", b"a&b-c", "text", "Entw&APw-rfe", None))


def utilities(recording: Recording) -> None:
    _each(recording, util.to_bytes, ("abc", b"abc", b"\xff", "", 5, None))
    recording.call("to_bytes('ä')", lambda: util.to_bytes("ä"))
    recording.call("to_bytes('ä', 'utf-8')", lambda: util.to_bytes("ä", "utf-8"))
    _each(recording, util.to_unicode, (b"abc", "abc", b"\xff", b"\xc3\xa4", b"", 5, None))
    _each(
        recording,
        module.join_message_ids,
        (1, [1, 2], (3,), range(3), {5}, "1:*", b"7", ["1:3", 5], [b"1"], [], "", None),
    )


def times(recording: Recording) -> None:
    moment = datetime(2024, 2, 5, 9, 30, 15, 123456)
    aware = moment.replace(tzinfo=timezone(timedelta(hours=-3, minutes=-30)))
    offset = moment.replace(tzinfo=fixed_offset.FixedOffset(330))
    _each(recording, datetime_util.datetime_to_INTERNALDATE, (moment, aware, offset, datetime(2024, 12, 1)))
    _each(recording, datetime_util.datetime_to_native, (aware, offset, moment))
    _each(recording, datetime_util.format_criteria_date, (moment, date(2024, 2, 5), date(999, 12, 31), aware))
    stamps = (
        b" 9-Feb-2007 17:08:08 +0430",
        b"09-Feb-2007 17:08:08 +0430",
        b"Mon, 5 Feb 2024 09:30:15 +0100",
        b"Mon, 05 Feb 2024 09:30:15 GMT",
        b"5 Feb 24 09:30 EST",
        b"Mon, 05 Feb 2024 09:30:15",
        b"Sat, 8 May 2010 16:03:09 +0200 (CEST)",
        b"nonsense",
        b"",
        b"Sat, 8 May 2010 16:03:09 -0000",
        b"Sat, 8 May 2010 25:03:09 +0000",
        b"00-Jan-0000 00:00:00 +0000",
        b"Sat, 8 May 2010 16.03.09 +0200",
        b"Sat, 8 May 2010 16:03:09 +9999",
    )
    _each(recording, datetime_util.parse_to_datetime, stamps)
    for stamp in stamps:
        label = f"parse_to_datetime({stamp!r}, False)"
        recording.call(label, datetime_util.parse_to_datetime, stamp, False)
    recording.call("seasons", _seasons)


@contextmanager
def _zone(rule: str) -> Iterator[None]:
    before = os.environ.get("TZ")
    os.environ["TZ"] = rule
    time.tzset()
    try:
        yield
    finally:
        if before is None:
            del os.environ["TZ"]
        else:
            os.environ["TZ"] = before
        time.tzset()


def _seasons() -> Any:
    """A date in winter and one in summer, in a zone with daylight saving time. Today's offset is wrong for one."""
    days = datetime(2024, 1, 15, 12), datetime(2024, 7, 15, 12)
    with _zone("CET-1CEST,M3.5.0,M10.5.0/3"):
        read = [datetime_util.parse_to_datetime(day.strftime("%d %b %Y %H:%M:%S +0000").encode()) for day in days]
        return read, [datetime_util.datetime_to_INTERNALDATE(day) for day in days]


def offsets(recording: Recording) -> None:
    for minutes in (0, 60, -570, 345, -1):
        zone = fixed_offset.FixedOffset(minutes)
        label = f"FixedOffset({minutes})"
        for function in (zone.utcoffset, zone.tzname, zone.dst):
            recording.call(f"{label}.{function.__name__}", function, None)
        recording.call(f"{label} compared", operator.eq, zone, fixed_offset.FixedOffset(minutes))
        recording.call(f"{label} copied", copy.deepcopy, zone)
    recording.call("FixedOffset.for_system", lambda: fixed_offset.FixedOffset.for_system().utcoffset(None))
    moment = datetime(2024, 2, 5, tzinfo=fixed_offset.FixedOffset(60))
    recording.call("a datetime with FixedOffset, pickled", lambda: pickle.loads(pickle.dumps(moment)))
    recording.call("a datetime with FixedOffset, as text", lambda: (str(moment), moment.isoformat()))


def _address(**fields: Any) -> types.Address:
    return types.Address(**{"name": b"Ann", "route": None, "mailbox": b"ann", "host": b"example.org", **fields})


def _behaviour(recording: Recording, name: str, make: Callable[[], Any], field: str) -> None:
    """What users do with a value: compare, copy, pickle, hash, iterate, change."""
    for label, function in (
        ("repr", lambda value: repr(value)),
        ("str", lambda value: str(value)),
        ("equal to another", lambda value: value == make()),
        ("unequal to None", lambda value: value != None),  # noqa: E711 - what a user may write
        ("hash", lambda value: isinstance(hash(value), int)),
        ("copy", lambda value: copy.copy(value) == value),
        ("deep copy", lambda value: copy.deepcopy(value) == value),
        ("pickle", lambda value: pickle.loads(pickle.dumps(value)) == value),
        ("iterate", lambda value: list(value)),
        ("length", lambda value: len(value)),
        ("truth", lambda value: bool(value)),
        ("set a field", lambda value: setattr(value, field, b"changed")),
        ("set another attribute", lambda value: setattr(value, "own", 5)),
        ("fields", lambda value: vars(value)),
        ("order", lambda value: value < make()),
    ):
        recording.call(f"{name}: {label}", function, make())


def _envelope() -> types.Envelope:
    return types.Envelope(datetime(2024, 1, 1), b"Subj", (_address(),), None, None, None, None, None, None, b"<id>")


def behaviour(recording: Recording) -> None:
    _behaviour(recording, "Address", _address, "name")
    for fields in (
        {"name": None},
        {"name": b'Q "uoted"'},
        {"name": "Zoë".encode()},
        {"host": None},
        {"mailbox": None, "host": None},
        {"mailbox": None},
        {"route": b"@a,@b"},
        {"name": b"=?utf-8?q?Zo=C3=AB?="},
        {"name": b"Last, First"},
        {"mailbox": b"\xff"},
    ):
        recording.call(f"str(Address) with {fields}", str, _address(**fields))
    _behaviour(recording, "Envelope", _envelope, "subject")
    _behaviour(recording, "SocketTimeout", lambda: module.SocketTimeout(1, 2.5), "read")
    _behaviour(recording, "Namespace", lambda: module.Namespace((("", "/"),), None, None), "personal")
    _behaviour(recording, "Quota", lambda: module.Quota("root", "STORAGE", 1, 2), "usage")
    _behaviour(recording, "MailboxQuotaRoots", lambda: module.MailboxQuotaRoots("INBOX", ["a"]), "mailbox")
    _behaviour(recording, "BodyData", lambda: types.BodyData((b"TEXT", b"PLAIN")), "x")
    _behaviour(recording, "SearchIds", lambda: types.SearchIds([1, 2]), "modseq")
    recording.call("SearchIds()", lambda: types.SearchIds())
    recording.call("SearchIds(generator)", lambda: types.SearchIds(number for number in (3, 4)))
    for value in (
        (b"TEXT", b"PLAIN", (b"CHARSET", b"utf-8"), None, None, b"7BIT", 5, 1),
        ((b"TEXT", b"PLAIN"), (b"TEXT", b"HTML"), b"ALTERNATIVE"),
        (((b"A", b"B"), (b"C", b"D"), b"X"), (b"E", b"F"), b"Y", (b"BOUNDARY", b"z")),
        (),
        ((b"A",),),
    ):
        recording.call(f"BodyData.create({value!r})", types.BodyData.create, value)


GROUPS: dict[str, Callable[[Recording], None]] = {
    group.__name__: group for group in (constants, parsing, names, utilities, times, offsets, behaviour)
}
