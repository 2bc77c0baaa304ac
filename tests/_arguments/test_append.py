"""Messages for APPEND: their form on the wire, and invalid messages."""

from __future__ import annotations

import datetime
from types import MappingProxyType

import pytest

from imapclient._arguments.append import AppendMessage, MessageToAppend, append_message, append_messages
from imapclient._arguments.command import Argument, Literal


def test_a_message_with_all_there_is() -> None:
    when = datetime.datetime(2020, 2, 1, 10, 11, 12, tzinfo=datetime.timezone.utc)
    message = append_message("é", ["\\Seen", b"Work"], when)
    assert message == AppendMessage(b"\xc3\xa9", (b"\\Seen", b"Work"), b'"01-Feb-2020 10:11:12 +0000"')
    assert message.arguments(literal8=True, utf8=False) == [
        (b"\\Seen", b"Work"),
        b'"01-Feb-2020 10:11:12 +0000"',
        Literal(b"\xc3\xa9"),
    ]


@pytest.mark.parametrize(
    ("data", "literal8", "utf8", "expected"),
    [
        (b"a", True, True, [Literal(b"a")]),
        (b"a\0", False, True, [Literal(b"a\0")]),
        (b"a\0", True, False, [Literal(b"a\0", binary=True)]),
        (b"S: \xc3\xa9\r\n", True, False, [Literal(b"S: \xc3\xa9\r\n")]),
        (b"S: \xc3\xa9\r\n", False, True, [(), b"UTF8", (Literal(b"S: \xc3\xa9\r\n", binary=True),)]),
        (b"S: \xc3\xa9\r\n\r\n\0", True, True, [(), b"UTF8", (Literal(b"S: \xc3\xa9\r\n\r\n\0", binary=True),)]),
    ],
)
def test_how_the_data_goes_out(data: bytes, literal8: bool, utf8: bool, expected: list[Argument]) -> None:
    sent = append_message(data, (), None).arguments(literal8=literal8, utf8=utf8)
    assert sent == expected
    assert [type(argument) for argument in sent] == [type(argument) for argument in expected]


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (b"", False),
        (b"Subject: cafe\r\n\r\n\xc3\xa9", False),
        (b"Subject: caf\xc3\xa9\r\n\r\nx", True),
        (b"Subject: caf\xc3\xa9\n\nx", True),
        (b"Subject: cafe\n\n\xc3\xa9", False),
        (b"Subject: cafe\n\r\n\xc3\xa9", False),
        (b"Subject: cafe\r\n\n\xc3\xa9", False),
        (b"Subject: caf\xc3\xa9", True),
        (b"X: y\r\n \xe6\x97\xa5\r\nSubject: z\r\n\r\n", True),
        # The message has no header.
        (b"\r\n\xc3\xa9", False),
        (b"\n\xc3\xa9", False),
        # A line of spaces does not end the header.
        (b"X: y\r\n \r\nZ: \xc3\xa9\r\n\r\n", True),
        # Latin-1 is not UTF-8, so UTF8 must not be sent.
        (b"Subject: caf\xe9\r\n\r\n", False),
        (b"Subject: caf\xe9\r\n\r\n\xc3\xa9", False),
        (b"Subject: caf\xc3\xa9\r\n\r\n\xe9", True),
    ],
)
def test_a_header_in_utf8(data: bytes, expected: bool) -> None:
    assert append_message(data, (), None).has_utf8_header is expected


def test_any_mapping_and_any_series() -> None:
    entry = MappingProxyType({"msg": "b", "flags": "x", "other": 5})
    items: list[MessageToAppend] = [b"a", entry]
    assert append_messages(iter(items)) == [AppendMessage(b"a"), AppendMessage(b"b", (b"x",))]


def test_the_cause_of_a_message_that_can_not_be_sent() -> None:
    with pytest.raises(ValueError, match=r"\Amsgs\[1\]: not a valid flag: b'a b'\Z") as caught:
        append_messages([b"a", {"msg": b"b", "flags": ["a b"]}])
    assert type(caught.value.__cause__) is ValueError
    with pytest.raises(ValueError, match=r"\Amsgs\[0\]: .*surrogates not allowed") as encoding:
        append_messages(["\udc80"])
    assert type(encoding.value.__cause__) is UnicodeEncodeError
