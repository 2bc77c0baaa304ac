"""Downloading a message, or a part of it, into a file."""

from __future__ import annotations

import io
from typing import Any, Callable, Optional

from .._arguments.strings import is_part_number, positive
from .._arguments.strings import section as wire_section
from .._parsing.fetch.results import FetchItems, FetchResult
from .._parsing.mail.body_structure import BodyData
from .._parsing.mail.transfer_decoding import Identity, PartWriter, Writable, decoder_for
from ..exceptions import NoSuchPartError, ProtocolError
from ..sequence_set import SequenceSet
from ..util import Text
from .base.running import CommandBase

DownloadProgress = Callable[[int, Optional[int]], object]
"""Is told how many bytes have come, and how many there are, None where nobody knows: ``progress(1048576, 5000000)``."""


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
        chunk_size: int = 1024 * 1024,
    ) -> int:
        """Write a message, or a part of it, to a file. Returns how many bytes were written: ``1100000``.

        ``section`` is the part's number as `~imapclient.response_types.BodyData.walk` tells it, ``'2'`` or ``'1.2'``,
        or ``''`` for the whole message, ``'HEADER'``, ``'TEXT'``, ``'2.MIME'`` and so on. ``file`` is open in binary
        mode. With ``decode`` a part's base64 or quoted-printable is undone; its charset is left as it is.

        It is fetched in pieces of ``chunk_size`` bytes (of ``max_literal_size``, where that is less),
        ``BODY.PEEK[2]<0.1048576>``, which leave the message unread, and is never in memory as a whole. ``progress`` is
        called after each one with the bytes that have come, encoded as they are, and how many there are, or None where
        the server does not tell: ``progress(1048576, 1504982)``.

        Between the pieces nothing is under way on the connection. So ``file`` and ``progress`` may use the client, and
        what they raise comes out as it is: the file then has what came before, and the connection is usable. It is
        too after `~imapclient.exceptions.NoSuchPartError`, ProtocolError where the part can't be decoded or the server
        does not send it, and IllegalStateError where another folder was selected meanwhile. Raises ValueError for a
        section that is none, and for ``decode`` with anything but a part's number, TypeError for a file that is not
        open in binary mode, before anything is sent.
        """
        wanted = SequenceSet(message)
        what = wire_section(section)
        is_part = is_part_number(what)
        if decode and not is_part:
            raise ValueError("only a part, by its number, can be decoded")
        if not isinstance(message, int):
            raise TypeError(f"not the id of one message: {message!r}")
        positive(chunk_size, "chunk_size")
        if isinstance(file, io.TextIOBase) or not callable(getattr(file, "write", None)):
            raise TypeError(f"not a file that is open in binary mode: {file!r}")
        if progress is not None and not callable(progress):
            raise TypeError(f"not a function: {progress!r}")
        # What the client takes of a server at most holds for a piece, and not for the whole.
        chunk_size = max(1, min(chunk_size, self._limits.literal_size, self._limits.response_size // 2))
        use_uid = self.use_uid
        check = self._same_messages("during a download")

        def fetch(ids: SequenceSet, items: bytes, uid: bool) -> FetchResult:
            with self._exclusive():
                check()
                return self._fetch(b"FETCH", ids, [items], uid=uid, strict=False)

        download = _Download(fetch, what, chunk_size)
        # The first piece comes together with what tells the size: a small part takes one round trip.
        about = b"BODYSTRUCTURE" if is_part else b"RFC822.SIZE"
        data, items = download.first(wanted, about, use_uid)
        total: int | None = None
        encoding: str | None = None
        if is_part:
            part = _part(items.get(b"BODYSTRUCTURE"), what.decode("ascii"))
            if part is not None:
                total, encoding = part.size, part.encoding or ""
            elif not data:
                raise NoSuchPartError(f"message {message} has no part {what.decode('ascii')}")
        elif not what:
            total = items.get(b"RFC822.SIZE")
        if decode and encoding is None:
            encoding = download.encoding_from_header()
        if isinstance(file, io.RawIOBase):
            file = _Raw(file)
        writer = PartWriter(file, decoder_for(encoding or "") if decode else Identity())
        done = 0
        while data:
            writer.feed(data)
            done += len(data)
            if progress is not None:
                progress(done, total)
            # A piece that is shorter is the last one, unless the size says otherwise.
            if download.is_whole or (len(data) < chunk_size and (total is None or done >= total)):
                break
            data = download.next(done)
        if total is not None and done < total:
            download.check_end(done)
        writer.end()
        return writer.written


class _Raw:
    """A raw file: its ``write`` returns None where it would have to wait, of which nobody else would know."""

    def __init__(self, file: io.RawIOBase) -> None:
        self._file = file

    def write(self, data: bytes, /) -> int:
        count = self._file.write(data)
        if count is None:
            raise BlockingIOError("the file takes nothing without waiting")
        return count


class _Download:
    """Fetches the pieces."""

    def __init__(self, fetch: Callable[[SequenceSet, bytes, bool], FetchResult], section: bytes, size: int) -> None:
        self._fetch = fetch
        self._section = section
        self._size = size
        self._uid = 0
        # Whether the server has sent all instead of a piece.
        self.is_whole = False

    def first(self, wanted: SequenceSet, about: bytes, use_uid: bool) -> tuple[bytes, FetchItems]:
        """The first piece, and the item ``about``. From there on the message goes by its UID."""
        asked = b"(%s%s %s)" % (b"" if use_uid else b"UID ", about, self._piece(0))
        number, items = self._only(self._fetch(wanted, asked, use_uid))
        self._uid = number if use_uid else items.get(b"UID") or 0
        if not self._uid:
            raise ProtocolError("the server does not tell the UID of the message", command="FETCH")
        return self._text(items, 0), items

    def next(self, start: int) -> bytes:
        """The piece that begins at byte ``start``, empty after the end."""
        return self._text(self._again(self._piece(start)), start)

    def check_end(self, end: int) -> None:
        """ProtocolError where there is nothing more, although it should be longer, unless what is there ends there.

        Sizes that servers tell may be too large. A server may also send nothing of a message that is gone, and say OK
        (RFC 2180, 4.1.3).
        """
        if self.is_whole:
            return
        if not end or not self._text(self._again(self._piece(end - 1)), end - 1):
            raise ProtocolError(f"the server sends nothing after {end} bytes", command="UID FETCH")

    def encoding_from_header(self) -> str:
        """The transfer encoding by the part's own header, where the body structure does not tell it."""
        header = self._again(b"BODY.PEEK[%s.MIME]" % self._section).get(b"BODY[%s.MIME]" % self._section)
        if not isinstance(header, bytes) or not header.strip():
            raise ProtocolError("the server does not tell the part's transfer encoding", command="UID FETCH")
        # Here for the same reason as in datetime_util.
        from email.parser import BytesHeaderParser

        return str(BytesHeaderParser().parsebytes(header).get("Content-Transfer-Encoding", ""))

    def _piece(self, start: int) -> bytes:
        return b"BODY.PEEK[%s]<%d.%d>" % (self._section, start, self._size)

    def _again(self, item: bytes) -> FetchItems:
        return self._only(self._fetch(SequenceSet(self._uid), b"(%s)" % item, True))[1]

    def _only(self, result: FetchResult) -> tuple[int, FetchItems]:
        for error in result.errors:
            # What tells no item may be about another message, where this one has come.
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
            self.is_whole = True
        if text is None:
            if start == 0:
                raise NoSuchPartError(f"the message has no {name.decode('ascii')}")
            return b""
        if not isinstance(text, bytes):
            raise ProtocolError("the server does not send the text that was asked for", command="UID FETCH")
        return text


_MISSING = object()


def _part(structure: Any, number: str) -> BodyData | None:
    if not isinstance(structure, BodyData):
        return None
    return next((part for other, part in structure.walk() if other == number and not part.is_multipart), None)
