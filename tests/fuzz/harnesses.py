"""The functions to fuzz. They take any bytes, and return, or raise an exception that the fuzzer reports.

Each lets through only the exception that is documented: ProtocolError for what a server sends (an abort only out of
the reader), ValueError where a function says so. What comes back is looked at too, as a program would.
"""

from __future__ import annotations

import atexit
import base64
import contextlib
import itertools
import os
import socket
import tempfile
import time
import warnings
import zlib
from collections.abc import Iterator
from typing import Any, Callable, NamedTuple

from imapclient._auth.dialogue import AuthExchange
from imapclient._connection.reader import Reader
from imapclient._parsing.acl import parse_acl
from imapclient._parsing.fetch.items import parse_flags
from imapclient._parsing.fetch.lenient import mended, read_leniently
from imapclient._parsing.fetch.parser import parse_fetch
from imapclient._parsing.folders import parse_list, parse_namespace, parse_status
from imapclient._parsing.lexer import (
    TokenSource,
    read_rest_of_list,
    read_values,
    read_what_is_sound,
    tokens,
)
from imapclient._parsing.mail.body_structure import BodyData, read_body
from imapclient._parsing.mail.envelope import Address, Envelope, read_envelope
from imapclient._parsing.mail.header_text import decode_parameters, decode_text, decode_words
from imapclient._parsing.quota import parse_quota, parse_quota_root
from imapclient._parsing.quoted_strings import unquote
from imapclient._parsing.records import DEFAULT_LIMITS, Limits, Record
from imapclient._parsing.response_codes import parse_response_text, split_response_code
from imapclient._parsing.responses import ReadOptions, Tagged, Untagged
from imapclient._parsing.search import parse_esearch, parse_search, parse_thread
from imapclient._parsing.uid_codes import UidCodes
from imapclient._wire.compression import DeflateTransport
from imapclient.config import ConfigError, ConfigWarning, parse_config_file
from imapclient.datetime_util import datetime_to_INTERNALDATE, datetime_to_native, parse_to_datetime
from imapclient.exceptions import IMAPClientAbortError, ProtocolError
from imapclient.imap_utf7 import decode, decode_name, encode, encode_name
from imapclient.response_parser import parse_fetch_response, parse_message_list, parse_response
from imapclient.sasl import Anonymous, CramMD5, Login, Mechanism, OAuthBearer, Plain, ScramSHA256, XOAuth2
from imapclient.sequence_set import SequenceSet, UidSet
from tests.fixtures.case import Response, untagged
from tests.fixtures.chunks import ChunkTransport, timed_out
from tests.fuzz import seeds

Run = Callable[[bytes], None]


class Harness(NamedTuple):
    """A function to fuzz, its seeds, and a time zone. The zone has hours that come twice, or never."""

    run: Run
    seeds: list[bytes]
    zone: str = "CET-1CEST,M3.5.0,M10.5.0/3"


class Slow(Exception):
    """An input took far more time than its length explains."""


# -- any bytes as responses


def responses(data: bytes) -> Iterator[Untagged]:
    """Return the responses that the reader finds in the bytes, and all bytes as one line."""
    reader = Reader(ChunkTransport([data + b"\r\n"]))
    with contextlib.suppress(IMAPClientAbortError):
        while True:
            yield _response(*reader.read_response())
    yield _response(data, None)


def _response(line: bytes, records: list[Record] | None) -> Untagged:
    """The data of what does not begin like a response starts at the front."""
    return untagged(line, records, None if line[:2] == b"* " else 0)


@contextlib.contextmanager
def _may_be_refused() -> Iterator[None]:
    """Lets ProtocolError through, as long as it does not say that the connection is lost."""
    refused: ProtocolError | None = None
    try:
        yield
    except ProtocolError as error:
        refused = error
    assert not isinstance(refused, IMAPClientAbortError)
    assert len(str(refused)) < 2000, "an error's message floods logs"


# -- reading the parsed values


def look_at(value: Any) -> None:
    """Read everything that a program can read from a parsed value."""
    todo = [value]
    while todo:
        item = todo.pop()
        if isinstance(item, dict):
            todo += item.values()
        elif isinstance(item, Envelope):
            todo += [item.from_, item.sender, item.reply_to, item.to, item.cc, item.bcc]
            _is_text(item.subject_text)
            assert item.unreadable_date is None or item.date is None
        elif isinstance(item, Address):
            for text in (str(item), item.display_name, item.email):
                _is_text(text)
        elif isinstance(item, BodyData):
            _look_at_body(item)
        elif isinstance(item, (list, tuple)):
            todo += item
        else:
            assert item is None or isinstance(item, (bytes, int)) or hasattr(item, "year"), type(item)


def _look_at_body(body: BodyData) -> None:
    for _, part in itertools.islice(body.walk(), 100):
        for name in ("content_type", "charset", "disposition", "filename", "location", "content_id", "description"):
            _is_text(getattr(part, name))
        for texts in (part.params.values(), part.disposition_params.values(), part.language, (part.encoding, part.md5)):
            for text in texts:
                _is_text(text)
        assert part.size is None or part.size >= 0
        assert part.lines is None or part.lines >= 0
        envelope = part.envelope()
        if envelope is not None:
            look_at(envelope)


def _is_text(text: str | None) -> None:
    """A line that can be printed and encoded, or None."""
    if text is not None:
        assert not any(character in text for character in "\r\n\0\x85\u2028\u2029"), repr(text)
        text.encode("utf-8")


# -- the harnesses


def lexer(data: bytes) -> None:
    options = ReadOptions(max_depth=20)
    for response in responses(data):
        for typed in (True, False):
            with _may_be_refused():
                read_values(response, options, typed=typed)
        with _may_be_refused():
            for token in tokens(response.line, response.start):
                unquote(token)
        with _may_be_refused():
            read_rest_of_list(response)
        whole = response.records or [response.line]
        read_what_is_sound(whole, 20)
        for record in whole:
            mended(record)
        with _may_be_refused():
            for _ in TokenSource(whole):
                pass


def fetch(data: bytes) -> None:
    for response in responses(data):
        for normalise_times in (True, False):
            with _may_be_refused():
                look_at(parse_fetch(response, ReadOptions(normalise_times)))
        items, errors = read_leniently(response)
        look_at({key: value for key, value in items.items() if not errors or value is not None})
        assert len(errors) <= 20


def fetch_records(data: bytes) -> None:
    """IMAPClient's functions, which take records of several responses."""
    records = [record for response in responses(data) for record in response.records or [response.line]]
    for uid_is_key in (True, False):
        with _may_be_refused():
            result = parse_fetch_response(records, uid_is_key=uid_is_key)
            look_at(dict(result))
            assert all(isinstance(key, int) for key in result)
        with _may_be_refused():
            parse_fetch_response(records, False, uid_is_key, strict=True)
    with _may_be_refused():
        parse_response(records)
    with _may_be_refused():
        assert all(isinstance(found, int) for found in parse_message_list([data]))


def search(data: bytes) -> None:
    for response in responses(data):
        with _may_be_refused():
            ids = parse_search(response)
            assert all(type(found) is int for found in ids)
        with _may_be_refused():
            parse_esearch(response, room=10_000)
        with _may_be_refused():
            parse_thread(response)


def folders(data: bytes) -> None:
    for response in responses(data):
        for parse in (parse_list, parse_status, parse_namespace, parse_acl, parse_quota, parse_quota_root, parse_flags):
            with _may_be_refused():
                parse(response)
        with _may_be_refused():
            found = parse_list(response)
            assert isinstance(found.name, bytes)
            assert encode_name(decode_name(found.name)) == found.name


def structures(data: bytes) -> None:
    """Envelopes and body structures of any values, also of those that FETCH does not let through."""
    for response in responses(data):
        with contextlib.suppress(ProtocolError):
            for value in read_values(response):
                if isinstance(value, tuple):
                    look_at(read_envelope(value)[0])
                    look_at(read_body(value)[0])


def header_text(data: bytes) -> None:
    _is_text(decode_text(data))
    _is_text(decode_words(data))
    fields = [part for parameter in data.split(b";") for part in parameter.partition(b"=")[::2]]
    for name, value in decode_parameters(tuple(fields)).items():
        _is_text(name)
        _is_text(value)


def response_codes(data: bytes) -> None:
    split_response_code(data)
    code, human = parse_response_text(data)
    assert code is None or (isinstance(code[0], bytes) and human in data)
    for name in (b"APPENDUID", b"COPYUID"):
        codes = UidCodes(name)
        codes.handlers[b"OK"](Untagged(b"OK", None, data, 0, None))
        codes.finish(Tagged("OK", data, code, human))
        if name == b"COPYUID":
            list(itertools.islice(codes.copy_reply().pairs(), 100))
        else:
            assert codes.append_reply() == data


def reader(data: bytes) -> None:
    """The same responses and the same end, in whatever pieces the bytes come and however often a read is interrupted.

    The first byte chooses the size of the pieces, and small limits.
    """
    choice, stream = data[0] if data else 0, data[1:500]
    limits = Limits(60, 90, 200, 400) if choice & 0x80 else DEFAULT_LIMITS
    whole = _read_all(Reader(ChunkTransport([stream]), limits))
    size = choice & 0x3F or 1
    assert _read_all(Reader(ChunkTransport.of_size(stream, size), limits)) == whole
    cuts = range(size, len(stream), size)
    assert _read_all(Reader(ChunkTransport.cut_at(stream, *cuts, between=timed_out()), limits)) == whole
    if size > 7:
        # After each interrupt the reader starts again from the first byte.
        interrupted = Reader(ChunkTransport.cut_at(stream, *cuts, between=timed_out()), limits)
        assert _read_all(interrupted, takes_back=True) == whole


def _read_all(source: Reader, takes_back: bool = False) -> tuple[list[Response], type[BaseException]]:
    found: list[Response] = []
    while True:
        if takes_back:
            source.begin()
        try:
            found.append(source.read_response())
        except IMAPClientAbortError as error:
            return found, type(error)
        except socket.timeout:
            if takes_back:
                source.take_back()
        else:
            if takes_back:
                source.commit()


def compression(data: bytes) -> None:
    """Compressed responses are the same as plain ones; bytes that are no compressed data end the connection.

    The first byte chooses whether the bytes are compressed here or taken for compressed ones, and their pieces.
    """
    choice, stream = data[0] if data else 0, data[1:1000]
    size = choice & 0x3F or 1
    if choice & 0x80:
        whole, error = _read_all(_inflating(stream, len(stream)))
        found, other_error = _read_all(_inflating(stream, size))
        # Of a piece that is broken further on nothing is had.
        assert found[: len(whole)] == whole
        assert found != whole or other_error is error
    else:
        deflate = zlib.compressobj(wbits=-15)
        packed = deflate.compress(stream) + deflate.flush(zlib.Z_SYNC_FLUSH)
        assert _read_all(_inflating(packed, size)) == _read_all(Reader(ChunkTransport([stream])))


def _inflating(packed: bytes, size: int) -> Reader:
    """A reader of compressed data, the first piece of which came with the answer to COMPRESS."""
    return Reader(DeflateTransport(ChunkTransport.of_size(packed[size:], size or 1), packed[:size]))


def sequence_sets(data: bytes) -> None:
    with contextlib.suppress(ValueError):
        uids = UidSet(data)
        assert UidSet(str(uids)) == uids
        assert sum(1 for _ in itertools.islice(uids, 1000)) == min(1000, len(uids))
    with contextlib.suppress(ValueError):
        messages = SequenceSet(data)
        assert SequenceSet(bytes(messages)).ranges == messages.ranges
        assert b",".join(messages.split(20)) == bytes(messages)
        assert all(low <= high for low, high in messages.ranges)
        assert all(one[1] < other[0] for one, other in zip(messages.ranges, messages.ranges[1:]))
        assert sorted(messages.in_order(range(1, 50))) == list(range(1, 50))
    with contextlib.suppress(ValueError):
        SequenceSet(data.decode("latin-1").split(","))


def utf7(data: bytes) -> None:
    text = decode(data)
    assert decode(encode(text.encode("utf-16", "surrogatepass").decode("utf-16", "replace"))) is not None
    for utf8 in (False, True):
        name = decode_name(data, utf8)
        _is_text(name)
        assert encode_name(name, utf8) == data
    with contextlib.suppress(UnicodeDecodeError):
        plain = data.decode("utf-8")
        wire = encode(plain)
        assert wire.decode("ascii").isprintable()
        assert decode(wire) == plain


def dates(data: bytes) -> None:
    with contextlib.suppress(ValueError):
        assert parse_to_datetime(data).tzinfo is None
    with contextlib.suppress(ValueError):
        moment = parse_to_datetime(data, normalise=False)
        again = parse_to_datetime(datetime_to_INTERNALDATE(moment).encode("ascii"), normalise=False)
        # A year of two digits comes back as one of four.
        assert again == moment or moment.year < 100
        with contextlib.suppress(ValueError):
            datetime_to_native(moment)


def _configuration_file() -> str:
    global _file
    if not _file:
        handle, _file = tempfile.mkstemp(suffix=".ini")
        os.close(handle)
        atexit.register(os.unlink, _file)
    return _file


_file = ""


def configuration(data: bytes) -> None:
    path = _configuration_file()
    with open(path, "wb") as file:
        file.write(data)
    with contextlib.suppress(ConfigError), warnings.catch_warnings():
        warnings.simplefilter("ignore", ConfigWarning)
        settings = parse_config_file(path)
        assert settings.host
        repr(settings)


def sasl(data: bytes) -> None:
    """Any challenges, each with any mechanism."""
    mechanisms: tuple[Callable[[], Mechanism], ...] = (
        *(lambda: Plain("ann", "secret"), lambda: Login("ann", "secret"), lambda: CramMD5("ann", "secret")),
        *(lambda: OAuthBearer("ann", "token"), lambda: XOAuth2("ann", "token"), Anonymous),
        lambda: ScramSHA256("ann", "secret", max_iterations=5000),
    )
    for new in mechanisms:
        exchange = AuthExchange(new())
        for challenge in data.split(b"\r\n")[:8]:
            challenge = base64.b64encode(challenge) if challenge[:1] != b"=" else challenge
            try:
                assert b"\r" not in exchange.respond(challenge)
            except IMAPClientAbortError:
                break
        assert exchange.error is None or isinstance(exchange.error, ProtocolError)


_SECONDS = 15.0


def slowness(data: bytes, length: int = 5000) -> None:
    """A part of the bytes many times over, into one of the others: time in proportion to the length.

    The first byte chooses the harness, the second and third which part is repeated. The length is one that a fuzzer,
    under which all is slow, has time for.
    """
    if len(data) < 5:
        return
    run = _LINEAR[data[0] % len(_LINEAR)]
    text = data[3:200]
    start = data[1] % len(text)
    end = start + 1 + data[2] % (len(text) - start)
    part = text[start:end]
    long = text[:start] + part * (length // len(part)) + text[end:]
    began = time.process_time()
    run(long)
    spent = time.process_time() - began
    if spent > _SECONDS:
        raise Slow(f"{spent:.1f} s for {len(long)} bytes of {part!r} between {text[:start]!r} and {text[end:]!r}")


_LINEAR: tuple[Run, ...] = (
    *(lexer, fetch, fetch_records, search, folders, structures),
    *(header_text, response_codes, sequence_sets, utf7, dates),
)

HARNESSES: dict[str, Harness] = {
    "lexer": Harness(lexer, seeds.responses()),
    "fetch": Harness(fetch, seeds.responses_with(b"FETCH")),
    "fetch_records": Harness(fetch_records, [raw.partition(b" ")[2] for raw in seeds.responses_with(b"FETCH")]),
    "search": Harness(search, seeds.responses_with(b"SEARCH", b"SORT", b"THREAD")),
    "folders": Harness(
        folders, seeds.responses_with(b"LIST", b"LSUB", b"STATUS", b"NAMESPACE", b"ACL", b"QUOTA", b"* FLAGS")
    ),
    "structures": Harness(structures, seeds.responses_with(b"ENVELOPE", b"BODY")),
    "header_text": Harness(header_text, seeds.HEADERS),
    "response_codes": Harness(response_codes, seeds.CODES),
    "reader": Harness(reader, seeds.STREAMS),
    "compression": Harness(
        compression, [*seeds.STREAMS, *(b"\x85" + zlib.compress(raw[1:])[2:-4] for raw in seeds.STREAMS)]
    ),
    "sequence_sets": Harness(sequence_sets, seeds.SEQUENCE_SETS),
    "utf7": Harness(utf7, seeds.NAMES),
    "dates": Harness(dates, seeds.DATES),
    "configuration": Harness(configuration, seeds.CONFIGURATIONS),
    "sasl": Harness(sasl, seeds.CHALLENGES),
    "slowness": Harness(slowness, [bytes([index % 16, 30, 5]) + raw for index, raw in enumerate(seeds.responses())]),
}
