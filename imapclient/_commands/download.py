"""Downloading a message, or a part of it, into a file."""

from __future__ import annotations

import io
from collections import deque
from typing import TYPE_CHECKING, Any, Callable, Optional

from .._arguments.strings import is_part_number
from .._arguments.strings import section as wire_section
from .._import_time import NamedTuple
from .._parsing.fetch.results import FetchItems, FetchResult
from .._parsing.records import Limits
from .._wire.waiting import now
from ..exceptions import NoSuchPartError, ProtocolError
from ..sequence_set import SequenceSet
from ..util import Text
from .base.command_base import CommandBase

if TYPE_CHECKING:
    from .._parsing.mail.transfer_decoding import Writable

DownloadProgress = Callable[[int, Optional[int]], object]
"""Called with the number of bytes received so far and the whole size: ``progress(1048576, 5000000)``.

The size is None if it is not known.
"""


class DownloadMixin(CommandBase):
    """FETCH of a part in pieces (RFC 9051, 6.4.5: partial)."""

    def download(
        self,
        message: int,
        section: Text,
        file: Writable,
        *,
        decode: bool = False,
        progress: DownloadProgress | None = None,
        chunk_size: int | None = None,
    ) -> int:
        """Write a message, or a part of it, to a file. Returns how many bytes were written: ``1100000``.

        ``section`` is the part's number, ``'2'`` or ``'1.2'``, as `~imapclient.response_types.BodyData.walk` returns
        it. It may also be ``''`` for the whole message, ``'HEADER'``, ``'TEXT'``, ``'2.MIME'`` and so on. ``file`` must
        be open in binary mode. With ``decode``, a part is decoded from base64 or quoted-printable. Its charset is not
        converted.

        The part is fetched in pieces: ``BODY.PEEK[2]<0.1048576>`` (RFC 9051, 6.4.5). The first one has 1 MiB. The next
        ones grow up to 12 MiB, as long as each arrives within a second. With ``chunk_size`` each has that many bytes.
        The pieces are smaller if ``max_literal_size``, half of ``max_response_size`` or a third of ``max_command_size``
        is less. The message stays unread, and memory holds one piece of it at a time, or up to three if ``file`` or
        ``progress`` uses the client. After each piece ``progress`` is called with two numbers of bytes: those received
        so far, still encoded, and the whole size: ``progress(1048576, 1504982)``. The size is None if it is not known,
        as for ``'HEADER'``.

        The next pieces are requested before a piece is written, so the server can send them meanwhile. ``file`` and
        ``progress`` may use the client all the same: the pieces are then received first. Their exceptions are raised as
        they are. The file then contains the earlier pieces, and the connection is usable.

        Raises ValueError if the section is not valid, or if ``decode`` is set and it is not the number of a part.
        Raises TypeError if the file is not open in binary mode. Nothing is sent then. Raises CommandError if the server
        refuses. Raises `~imapclient.exceptions.NoSuchPartError` if there is no such message or part. Raises
        ProtocolError if the part can't be decoded, or if the server does not send it. Raises IllegalStateError if
        another folder was selected meanwhile. The connection is usable after all of these.
        """
        # Imported here, because not every program needs it.
        from .._arguments.fetch_chunks import positive
        from .._parsing.mail.transfer_decoding import Identity, PartWriter, decoder_for

        wanted = SequenceSet(message)
        what = wire_section(section)
        if decode and not is_part_number(what):
            raise ValueError(f"only a part can be decoded, such as '2', not {section!r}")
        if not isinstance(message, int):
            raise TypeError(f"message must be the id of one message, not {message!r}")
        if chunk_size is not None:
            positive(chunk_size, "chunk_size")
        if isinstance(file, io.TextIOBase) or not callable(getattr(file, "write", None)):
            raise TypeError(f"file must be open in binary mode: {file!r}")
        if progress is not None and not callable(progress):
            raise TypeError(f"progress must be a function, not {progress!r}")
        sizes = _Sizes(chunk_size, self._limits)
        check = self._same_messages("during a download")

        def fetch(ids: SequenceSet, items: bytes, uid: bool) -> FetchResult:
            with self._exclusive():
                check()
                return self._fetch(b"FETCH", ids, [items], uid=uid, strict=False)

        def fetch_ahead(uid: int, items: bytes) -> Callable[[], FetchResult]:
            with self._exclusive():
                check()
                finish = self._fetch_ahead(uid, items)

            def finish_if_same() -> FetchResult:
                check()
                return finish()

            return finish_if_same

        pieces = _Pieces(fetch, fetch_ahead, what, sizes)
        data = pieces.first(wanted, self.use_uid)
        decoder = decoder_for(pieces.transfer_encoding()) if decode else Identity()
        writer = PartWriter(_Raw(file) if isinstance(file, io.RawIOBase) else file, decoder)
        while data:
            # The server sends the next pieces while this one is written.
            pieces.request_after(data)
            writer.feed(data)
            pieces.done += len(data)
            # Now only the next piece is in memory.
            del data
            if progress is not None:
                progress(pieces.done, pieces.total)
            data = pieces.next()
        pieces.check_end()
        writer.end()
        return writer.written


class _Raw:
    """Wraps a raw file, whose ``write`` returns None if it would have to wait. This ``write`` raises an error then."""

    def __init__(self, file: io.RawIOBase) -> None:
        self._file = file

    def write(self, data: bytes, /) -> int:
        count = self._file.write(data)
        if count is None:
            raise BlockingIOError("the file can't be written to without waiting; open it in blocking mode")
        return count


class _Sizes:
    """The sizes of the pieces. They grow, unless the caller wants a certain size or the line is slow."""

    def __init__(self, wanted: int | None, limits: Limits) -> None:
        # The client's limits apply to each piece, not to the whole part. A command of the caller may have to read the
        # pieces that are requested ahead, which then count together.
        most = min(limits.literal_size, limits.response_size // 2, limits.command_size // (_MAX_AHEAD + 1))
        self.next = max(1, min(wanted or _FIRST_SIZE, most))
        self._most = self.next if wanted else max(1, min(_MAX_SIZE, most))
        self._last_arrival = now()

    def arrived(self, size: int) -> None:
        """Let the next pieces grow if this one came soon after the one before it, whatever the caller did meanwhile."""
        arrival = now()
        if arrival - self._last_arrival < _SECONDS_TO_GROW:
            self.next = max(self.next, min(_GROWTH * size, self._most))
        self._last_arrival = arrival

    def keep_at(self, size: int) -> None:
        """Let all further pieces have this size."""
        self.next = self._most = size


class _Requested(NamedTuple):
    """A piece that is requested ahead: where it starts, its size, and the function that receives it."""

    start: int
    size: int
    receive: Callable[[], FetchResult]


class _Pieces:
    """Fetches the pieces of a section. ``done`` is how many bytes the caller has, ``total`` the size if it is known."""

    def __init__(
        self,
        fetch: Callable[[SequenceSet, bytes, bool], FetchResult],
        fetch_ahead: Callable[[int, bytes], Callable[[], FetchResult]],
        section: bytes,
        sizes: _Sizes,
    ) -> None:
        self.done = 0
        self.total: int | None = None
        self._fetch = fetch
        self._fetch_ahead = fetch_ahead
        self._section = section
        self._sizes = sizes
        # The size that was requested of the last piece received.
        self._size = 0
        self._requested: deque[_Requested] = deque()
        self._max_ahead = _MAX_AHEAD
        # Whether several pieces were in flight at once.
        self._was_ahead = False
        self._uid = 0
        # None if the body structure does not have it.
        self._encoding: str | None = None
        # Whether the server has sent the whole section instead of a piece.
        self._is_whole = False

    def first(self, wanted: SequenceSet, use_uid: bool) -> bytes:
        """The first piece. The same command fetches the size, so a small part takes one round trip.

        All other pieces are fetched by UID.
        """
        is_part = is_part_number(self._section)
        about = b"BODYSTRUCTURE" if is_part else b"RFC822.SIZE"
        self._size = self._sizes.next
        asked = b"(%s%s %s)" % (b"" if use_uid else b"UID ", about, self._piece(0, self._size))
        number, items = self._only(self._fetch(wanted, asked, use_uid))
        self._sizes.arrived(self._size)
        self._uid = number if use_uid else items.get(b"UID") or 0
        if not self._uid:
            raise ProtocolError("the server does not send the UID of the message", command="FETCH")
        data = self._text(items, 0)
        if is_part:
            self._learn_part(items.get(b"BODYSTRUCTURE"), wanted, bool(data))
        elif not self._section:
            self.total = items.get(b"RFC822.SIZE")
        return data

    def _learn_part(self, structure: Any, wanted: SequenceSet, has_text: bool) -> None:
        from .._parsing.mail.body_structure import BodyData

        number = self._section.decode("ascii")
        parts = structure.walk() if isinstance(structure, BodyData) else ()
        part = next((part for other, part in parts if other == number and not part.is_multipart), None)
        if part is not None:
            self.total, self._encoding = part.size, part.encoding or ""
        elif not has_text:
            raise NoSuchPartError(f"message {bytes(wanted).decode('ascii')} has no part {number}")

    def request_after(self, data: bytes) -> None:
        """Request the pieces after ``data``, the last one received: some of them ahead. None after the end.

        A piece that is shorter than requested is the last one, unless the size shows that more follows.
        """
        done = self.done + len(data)
        is_full = len(data) == self._size
        if self._requested and self._requested[0].start != done:
            # The server sends shorter pieces than requested. So it is asked for no more than that.
            self._requested.clear()
            self._sizes.keep_at(len(data))
        if self._is_whole or not (is_full or (self.total is not None and done < self.total)):
            self._requested.clear()
            return
        last = self._requested[-1] if self._requested else None
        start = done if last is None else last.start + last.size
        ahead = self._max_ahead if is_full and self.total is not None else 1
        while len(self._requested) < ahead and (start == done or start < (self.total or 0)):
            size = self._sizes.next
            receive = self._fetch_ahead(self._uid, b"(%s)" % self._piece(start, size))
            self._requested.append(_Requested(start, size, receive))
            self._was_ahead = self._was_ahead or len(self._requested) > 1
            start += size

    def next(self) -> bytes:
        """The piece that was requested first. It is empty after the end."""
        if not self._requested:
            return b""
        start, self._size, receive = self._requested.popleft()
        result = receive()
        self._sizes.arrived(self._size)
        name = b"BODY[%s]<%d>" % (self._section, start)
        if self._was_ahead and not result.errors and not any(name in items for items in result.values()):
            # The server may have run the commands in another order (RFC 9051, 5.5).
            self._requested.clear()
            self._max_ahead, self._was_ahead = 1, False
            items = self._again(self._piece(start, self._size))
        else:
            items = self._only(result)[1]
        return self._text(items, start)

    def check_end(self) -> None:
        """Raise ProtocolError if the section is incomplete.

        A section that is shorter than its size may be complete, because a server may report too large a size. But if a
        message was removed, a server may answer OK and send nothing (RFC 2180, 4.1.3).
        """
        if self._is_whole or self.total is None or self.done >= self.total:
            return
        last = self.done - 1
        if not self.done or not self._text(self._again(self._piece(last, 1)), last):
            raise ProtocolError(f"the server sends nothing after {self.done} bytes", command="UID FETCH")

    def transfer_encoding(self) -> str:
        """The transfer encoding, from the body structure or else from the part's own header."""
        if self._encoding is not None:
            return self._encoding
        header = self._again(b"BODY.PEEK[%s.MIME]" % self._section).get(b"BODY[%s.MIME]" % self._section)
        if not isinstance(header, bytes) or not header.strip():
            raise ProtocolError("the server does not send the part's transfer encoding", command="UID FETCH")
        # Imported here because it takes long, and few programs need it.
        from email.parser import BytesHeaderParser

        return str(BytesHeaderParser().parsebytes(header).get("Content-Transfer-Encoding", ""))

    def _piece(self, start: int, size: int) -> bytes:
        return b"BODY.PEEK[%s]<%d.%d>" % (self._section, start, size)

    def _again(self, item: bytes) -> FetchItems:
        return self._only(self._fetch(SequenceSet(self._uid), b"(%s)" % item, True))[1]

    def _only(self, result: FetchResult) -> tuple[int, FetchItems]:
        for error in result.errors:
            # If this message was received, an error without an item may be about another message.
            if error.item is None and result:
                continue
            if error.item is None or error.item.startswith(b"BODY["):
                raise error
        if not result:
            raise NoSuchPartError("there is no such message")
        ((number, items),) = result.items()
        return number, items

    def _text(self, items: FetchItems, start: int) -> bytes:
        name = b"BODY[%s]" % self._section
        text: Any = items.get(b"%s<%d>" % (name, start), _MISSING)
        if text is _MISSING and start == 0:
            text = items.get(name, _MISSING)
            self._is_whole = True
        if text is None:
            if start == 0:
                raise NoSuchPartError(f"the message has no {name.decode('ascii')}")
            return b""
        if not isinstance(text, bytes):
            raise ProtocolError("the server does not send the requested text", command="UID FETCH")
        return text


_MISSING = object()

KIB = 1024
# The first piece is small, because most parts are.
_FIRST_SIZE = 1024 * KIB
_MAX_SIZE = 12288 * KIB
_GROWTH = 4
# On a slow line large pieces would be in the way: of ``progress``, and of the next command after an exception.
_SECONDS_TO_GROW = 1.0
# How many pieces are requested ahead if the size is known.
_MAX_AHEAD = 2
