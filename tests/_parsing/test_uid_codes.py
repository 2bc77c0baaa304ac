"""The replies to APPEND, COPY and MOVE: bytes with the UIDs that the server sent."""

from __future__ import annotations

import copy
import itertools
import pickle

import pytest
from hypothesis import given
from hypothesis import strategies as st

from imapclient._parsing.response_codes import parse_response_text
from imapclient._parsing.responses import Tagged, Untagged
from imapclient._parsing.uid_codes import AppendReply, CopyReply, UidCodes
from imapclient.sequence_set import UidSet
from tests.helpers.clients import memory_peak

# -- the replies themselves


_APPENDED = AppendReply(b"[APPENDUID 5 7:9] Done", uidvalidity=5, uids=UidSet("7:9"))
_COPIED = CopyReply(b"[COPYUID 5 2,1 7:8] Done", uidvalidity=5, uids=UidSet("7:8"), source_uids=UidSet("2,1"))
_REPLIES = [AppendReply(), AppendReply(b"Done"), _APPENDED, CopyReply(), CopyReply(b"Done"), _COPIED]


@pytest.mark.parametrize("reply", _REPLIES)
def test_a_reply_is_its_bytes(reply: AppendReply) -> None:
    plain = bytes(reply)
    assert type(plain) is bytes
    assert reply == plain
    assert plain == reply
    assert hash(reply) == hash(plain)
    assert repr(reply) == repr(plain)
    assert {plain: 1}[reply] == 1
    assert reply != plain + b"x"
    assert bool(reply) == bool(plain)
    assert type(reply + b"") is bytes
    assert reply.startswith(b"[") == plain.startswith(b"[")


def test_the_attributes_of_a_reply() -> None:
    assert (_APPENDED.uidvalidity, _APPENDED.uids) == (5, UidSet("7:9"))
    assert (_COPIED.uidvalidity, _COPIED.uids, _COPIED.source_uids) == (5, UidSet("7:8"), UidSet("2,1"))
    assert list(_COPIED.pairs()) == [(2, 7), (1, 8)]
    for reply in (AppendReply(b"Done"), CopyReply(b"Done")):
        assert reply.uidvalidity is None
        assert reply.uids is None
    assert CopyReply(b"Done").source_uids is None
    assert list(CopyReply(b"Done").pairs()) == []


def _same(one: AppendReply, other: AppendReply) -> None:
    assert type(one) is type(other)
    assert one == other
    assert vars(one) == vars(other)


@pytest.mark.parametrize("reply", _REPLIES)
def test_a_reply_can_be_pickled_and_copied(reply: AppendReply) -> None:
    for protocol in range(pickle.HIGHEST_PROTOCOL + 1):
        _same(pickle.loads(pickle.dumps(reply, protocol)), reply)
    _same(copy.copy(reply), reply)
    _same(copy.deepcopy(reply), reply)


# -- texts of servers


def _tagged(text: bytes) -> Tagged:
    return Tagged("OK", text, *parse_response_text(text))


def _untagged(text: bytes) -> Untagged:
    return Untagged(b"OK", None, b"* OK " + text, 5, None)


def _receive(codes: UidCodes, *commands: tuple[list[bytes], bytes]) -> None:
    """Receive the responses to commands, each the texts of its untagged OKs and the text of its tagged response."""
    for untagged, tagged in commands:
        for text in untagged:
            assert codes.handlers[b"OK"](_untagged(text)) is not False
        codes.finish(_tagged(tagged))


@pytest.mark.parametrize(
    ("text", "uidvalidity", "uids"),
    [
        (b"[APPENDUID 38505 3955] Done", 38505, "3955"),
        (b"[APPENDUID 38505 3955:3957,3960] Done", 38505, "3955:3957,3960"),
        (b"[appenduid 1 2] done", 1, "2"),
        (b"[AppendUID 1 2]", 1, "2"),
        (b"[APPENDUID  1  2 ] Done", 1, "2"),
        (b"[APPENDUID 4294967295 4294967295]", 4294967295, "4294967295"),
        (b"[APPENDUID 1 1:4294967295]", 1, "1:4294967295"),
        (b"[APPENDUID 1 9,3]", 1, "9,3"),
    ],
)
def test_appenduid(text: bytes, uidvalidity: int, uids: str) -> None:
    for command in (([], text), ([text], b"Done"), ([text], text)):
        codes = UidCodes(b"APPENDUID")
        _receive(codes, command)
        reply = codes.append_reply()
        _same(reply, AppendReply(command[1], uidvalidity=uidvalidity, uids=UidSet(uids)))


@pytest.mark.parametrize(
    ("text", "sources", "uids"),
    [
        (b"[COPYUID 38505 304,319:320 3956:3958] Done", "304,319:320", "3956:3958"),
        (b"[copyuid 38505 1 2] done", "1", "2"),
        (b"[COPYUID 38505 3,1,2 7:9]", "3,1,2", "7:9"),
        (b"[COPYUID 38505 3:1 9:7]", "1:3", "7:9"),
        (b"[COPYUID  38505   1  2 ] Done", "1", "2"),
        (b"[COPYUID 38505 1:4294967294 2:4294967295]", "1:4294967294", "2:4294967295"),
    ],
)
def test_copyuid(text: bytes, sources: str, uids: str) -> None:
    for command in (([], text), ([text], b"Done"), ([text], text)):
        codes = UidCodes(b"COPYUID")
        _receive(codes, command)
        expected = CopyReply(command[1], uidvalidity=38505, uids=UidSet(uids), source_uids=UidSet(sources))
        _same(codes.copy_reply(), expected)


_ODD = [
    b"",
    b"Done",
    b"{} 1 2 Done",
    b"Done [{} 1 2 3]",
    b"[{}",
    b"[{}]",
    b"[{} ]",
    b"[{} 1]",
    b"[{} 1  ]",
    b"[{} 1 2 3 4]",
    b"[{} 1 *]",
    b"[{} 1 * *]",
    b"[{} 1 1:* 1:*]",
    b"[{} 1 $ $]",
    b"[{} 0 1 1]",
    b"[{} 0 1]",
    b"[{} 1 0]",
    b"[{} 1 0 0]",
    b"[{} 1 0:3 0:3]",
    b"[{} 4294967296 1 1]",
    b"[{} 4294967296 1]",
    b"[{} 1 4294967296]",
    b"[{} 1 1 4294967296]",
    b"[{} 1 1:99999999999999999999 1:99999999999999999999]",
    b"[{} 1:2 1 1]",
    b"[{} 1:4294967295 1 1]",
    b"[{} -1 1 1]",
    b"[{} x y z]",
    b'[{} "1" "2" "3"]',
    b"[{} (1) (2) (3)]",
    b"[{} NIL NIL NIL]",
    b"[{} 1, 2, 3]",
    b"[{} 1 2,, 3]",
    b"[{} \xff \xff \xff]",
    b"[{}X 1 2 3]",
    b"[{}\t1\t2\t3]",
    b"[UIDVALIDITY 5] {} 1 2 3",
    b"[]",
    b"]",
]


@pytest.mark.parametrize("odd", _ODD)
@pytest.mark.parametrize("name", [b"APPENDUID", b"COPYUID"])
def test_a_code_that_can_not_be_parsed_is_ignored(odd: bytes, name: bytes) -> None:
    """Another handler may be able to parse it."""
    text = odd.replace(b"{}", name)
    codes = UidCodes(name)
    assert codes.handlers[b"OK"](_untagged(text)) is False
    codes.finish(_tagged(text))
    _same(codes.append_reply(), AppendReply(text))
    _same(codes.copy_reply(), CopyReply(text))


@pytest.mark.parametrize("text", [b"[COPYUID 1 1:3 7:8]", b"[COPYUID 1 1 7:8]", b"[COPYUID 1 1:4294967295 7]"])
def test_sets_of_different_length_are_ignored(text: bytes) -> None:
    codes = UidCodes(b"COPYUID")
    assert codes.handlers[b"OK"](_untagged(text)) is False
    codes.finish(_tagged(text))
    _same(codes.copy_reply(), CopyReply(text))


def test_each_takes_its_own_code_only() -> None:
    assert UidCodes(b"COPYUID").handlers[b"OK"](_untagged(b"[APPENDUID 1 2]")) is False
    assert UidCodes(b"APPENDUID").handlers[b"OK"](_untagged(b"[COPYUID 1 2 3]")) is False
    for name in (b"APPENDUID", b"COPYUID"):
        assert UidCodes(name).handlers[b"OK"](_untagged(b"[ALERT] Look out")) is False


@given(st.binary(max_size=40) | st.text(alphabet="COPYUID [0123456789:,*]()", max_size=40).map(str.encode))
def test_no_text_is_an_error(text: bytes) -> None:
    for name in (b"APPENDUID", b"COPYUID"):
        for whole in (text, b"[%b %b] Done" % (name, text)):
            codes = UidCodes(name)
            codes.handlers[b"OK"](_untagged(whole))
            codes.finish(_tagged(whole))
            assert codes.append_reply() == whole
            reply = codes.copy_reply()
            assert reply == whole
            assert (reply.uids is None) == (reply.uidvalidity is None)


def test_several_commands() -> None:
    codes = UidCodes(b"COPYUID")
    _receive(
        codes,
        ([], b"[COPYUID 5 3:4 10:11] one"),
        ([b"[COPYUID 5 5:6 12:13]"], b"two"),
        ([], b"nothing copied"),
        ([b"[COPYUID 5 1 20]", b"[COPYUID 5 9,8 14:15]"], b"four"),
    )
    expected = UidSet("3:6,1,9,8"), UidSet("10:13,20,14:15")
    _same(codes.copy_reply(), CopyReply(b"four", uidvalidity=5, source_uids=expected[0], uids=expected[1]))


def test_the_tagged_response_is_about_the_whole_command() -> None:
    codes = UidCodes(b"COPYUID")
    _receive(codes, ([b"[COPYUID 5 1 7]", b"[COPYUID 5 2 8]"], b"[COPYUID 5 1:2 7:8] Done"))
    assert list(codes.copy_reply().pairs()) == [(1, 7), (2, 8)]


def test_a_tagged_code_that_can_not_be_read_does_not_count() -> None:
    codes = UidCodes(b"COPYUID")
    _receive(codes, ([b"[COPYUID 5 1 7]"], b"[COPYUID 5 1] Done"))
    assert list(codes.copy_reply().pairs()) == [(1, 7)]


def test_uids_of_a_folder_that_was_replaced_are_omitted() -> None:
    """Another client has removed and recreated the target folder between two commands."""
    codes = UidCodes(b"COPYUID")
    _receive(codes, ([], b"[COPYUID 5 1:2 10:11]"), ([], b"[COPYUID 6 3:4 1:2]"), ([], b"[COPYUID 6 7 3] Done"))
    reply = codes.copy_reply()
    assert reply.uidvalidity == 6
    assert list(reply.pairs()) == [(3, 1), (4, 2), (7, 3)]


def test_codes_before_a_command_failed() -> None:
    codes = UidCodes(b"COPYUID")
    _receive(codes, ([], b"[COPYUID 5 1 7] one"))
    assert codes.handlers[b"OK"](_untagged(b"[COPYUID 5 2 8] Half of it")) is not False
    text = b"[COPYUID 5 1 7] one"
    expected = CopyReply(text, uidvalidity=5, uids=UidSet("7:8"), source_uids=UidSet("1:2"))
    _same(codes.copy_reply(), expected)


def test_sets_are_read_one_uid_at_a_time() -> None:
    with memory_peak(200_000):
        codes = UidCodes(b"COPYUID")
        _receive(codes, *[([], b"[COPYUID 1 1:4294967295 1:4294967295] Done")] * 3)
        reply = codes.copy_reply()
        assert reply.uids is not None
        assert len(reply.uids) == 3 * 4294967295
        assert list(itertools.islice(reply.pairs(), 2)) == [(1, 1), (2, 2)]
