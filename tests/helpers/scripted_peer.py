r"""A server on a real loopback socket that follows a script, byte for byte.

    with ScriptedPeer('''
        S: * OK [CAPABILITY IMAP4rev1] ready
        C: A1 LOGIN "ann" "secret"
        S: A1 OK done
    ''') as peer:
        client = IMAPClient(peer.host, peer.port, ssl=False)
        client.login("ann", "secret")

A script has these lines. Indentation, blank lines and lines that begin with ``#`` are ignored:

``S: text``   send the text and CRLF; ``S:`` alone sends CRLF
``C: text``   the client must send exactly the text and CRLF
``S-:, C-:``  the same without CRLF
``Sx:, Cx:``  the same with the escapes ``\xNN \0 \r \n \t \\``; in other lines a backslash is a backslash
              (``Sx-:`` and ``Cx-:`` combine both)
``PAUSE 0.2`` wait, in seconds
``CHUNK 3``   from now on send in pieces of 3 bytes; ``CHUNK 0`` ends that
``TLS``       handshake as the server; with ``TLS FAILS`` the client must abort it
``DEFLATE``   compress from now on, both ways (RFC 4978)
``CLOSE``     close the connection in order
``RESET``     reset the connection (RST)
``ACCEPT``    wait for another connection; the first one needs no ACCEPT

The first space after the colon is a separator. All further spaces are text, also at the end of the line.

``A1`` (A and digits) as the first word of a ``C`` line stands for any tag of letters and digits that the client sends.
No tag may come twice in a connection. In later ``S`` lines, the client's tag replaces this word at the beginning and in
``(TAG "A1")``. To expect the letters A1, write ``Cx: \x411``.

The end of the ``with`` block raises AssertionError if the client sent something else than the script, or more, or if a
part of the script is left.
"""

from __future__ import annotations

import queue
import re
import selectors
import socket
import ssl
import sys
import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from types import TracebackType
from typing import ClassVar, Optional, Union

from .loopback_server import LoopbackServer
from .peer_stream import ClientGone, DialogueFailure, Stream, wait_for

Data = Union[bytes, Iterable[bytes]]


class SendBytes:
    """An item of a script: bytes for the client as they are, or an iterable of such bytes.

    Bytes must be sent completely. An iterable may be endless. It ends when the client closes the connection, or at the
    end of the test's body, which is no failure.
    """

    def __init__(self, data: Data) -> None:
        self.data = data


#: A callable of a script. The peer sends the bytes that it returns, and nothing for None.
ScriptCall = Callable[[], Optional[Data]]
ScriptItem = Union[str, bytes, SendBytes, ScriptCall, Iterator[bytes]]
Script = Union[str, bytes, Sequence[ScriptItem]]

#: The value of the fixture `peer`: a function with the arguments of `ScriptedPeer`.
PeerFactory = Callable[..., "ScriptedPeer"]

_LINE = re.compile(rb"([CS])(x?)(-?):(?: (.*))?", re.DOTALL)
_ESCAPE = re.compile(rb"\\(x[0-9A-Fa-f]{2}|.|$)", re.DOTALL)
_ESCAPES = {b"0": b"\0", b"r": b"\r", b"n": b"\n", b"t": b"\t", b"\\": b"\\"}
_SCRIPT_TAG = re.compile(rb"(A[0-9]+)(?= |$)")
_CLIENT_TAG = re.compile(rb"[A-Za-z0-9]+")
_TAG_CORRELATOR = re.compile(rb'\(TAG "(A[0-9]+)"\)')


class _Step:
    def __init__(self, where: str, run: Callable[[], None]) -> None:
        self.where = where
        self.run = run


class ScriptedPeer(LoopbackServer):
    """A server that follows a script. The module's docstring explains the lines of a script.

    :param script: text (sent as UTF-8), bytes, or a sequence of these, `SendBytes`, iterators of bytes, and callables.
        The peer's thread calls a callable when the items before it are done.
    :param tls_context: the server's context, for the line TLS and for `implicit_tls`.
    :param implicit_tls: each connection begins with the handshake.
    :param chunk: send in pieces of at most this many bytes; 0 is no limit.
    :param timeout: the maximum time of each wait for the client, in seconds.
    """

    #: The peers that have a thread or a socket now. A test must close all.
    running: ClassVar[set[ScriptedPeer]] = set()

    def __init__(
        self,
        script: Script = "",
        *,
        tls_context: ssl.SSLContext | None = None,
        implicit_tls: bool = False,
        chunk: int = 0,
        timeout: float = 60.0,
    ) -> None:
        if implicit_tls and tls_context is None:
            raise ValueError("implicit_tls needs a tls_context")
        self.timeout = timeout
        #: The received C lines, with the client's own tag and CRLF.
        self.received: list[bytes] = []
        #: The first failure, or None.
        self.failure: str | None = None
        self._tls_context = tls_context
        self._implicit_tls = implicit_tls
        self._chunk = chunk
        self._stream: Stream | None = None
        self._steps: queue.Queue[_Step | None] = queue.Queue()
        self._progress = threading.Condition()
        self._steps_left = 0
        steps = self._parse(script)
        if steps and steps[0].run != self._accept:
            steps.insert(0, _Step("the first connection", self._accept))
        super().__init__()
        self._listener.setblocking(False)
        self._over_reader, self._over_writer = socket.socketpair()
        ScriptedPeer.running.add(self)
        self._add(steps)
        self._thread.start()

    def start(self) -> None:
        """Do nothing: the peer runs from its construction on."""

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()
        if self.failure is None:
            return
        if exc is None:
            raise AssertionError(self.failure)
        note = f"The scripted peer failed too: {self.failure}"
        if sys.version_info >= (3, 11):
            exc.add_note(note)
        else:
            print(note, file=sys.stderr)

    # -- for the test's body

    def wait(self, timeout: float | None = None) -> None:
        """Wait until the whole script is done.

        :param timeout: in seconds; None is the timeout of the peer.
        :raises AssertionError: if the script has failed, or is not done in time.
        """
        with self._progress:
            done = self._progress.wait_for(
                lambda: self.failure is not None or not self._steps_left,
                self.timeout if timeout is None else timeout,
            )
        if self.failure is not None:
            raise AssertionError(self.failure)
        if not done:
            raise AssertionError("the script is not done in time")

    def play(self, script: Script) -> None:
        """Append to the script, and wait until all of it is done.

        :raises AssertionError: as `wait` does.
        """
        self._add(self._parse(script))
        self.wait()

    def send(self, data: Data) -> None:
        """Send the bytes, unchanged, after the script so far."""
        self.play([SendBytes(data)])

    def expect(self, data: bytes) -> None:
        """Wait for exactly these bytes from the client, after the script so far."""
        self._add([_Step("expect()", lambda: self._expect(data))])
        self.wait()

    def sent(self) -> int:
        """How many bytes were sent over the connection that there is."""
        return self._need_stream().sent

    def close(self) -> None:
        """End the peer. After that, `failure` is final. A failure of the script raises no exception here.

        The bytes that the client has sent by now are still compared with the script.
        """
        if self not in ScriptedPeer.running:
            return
        self._over_writer.send(b"!")
        self._steps.put(None)
        # Only a generator or a callable of the test can hang. Everything else ends at once.
        self._thread.join(self.timeout + 5)
        if self._thread.is_alive():
            self.failure = self.failure or "the script's own code hangs"
            return
        self._listener.close()
        self._over_reader.close()
        self._over_writer.close()
        ScriptedPeer.running.discard(self)

    # -- parsing the script

    def _parse(self, script: Script) -> list[_Step]:
        if isinstance(script, (str, bytes)):
            return self._parse_text(script, "script line")
        steps: list[_Step] = []
        for number, item in enumerate(script, 1):
            where = f"script item {number}"
            if isinstance(item, (str, bytes)):
                steps += self._parse_text(item, f"{where}, line")
            elif isinstance(item, SendBytes):
                steps.append(_Step(where, self._sender(item.data)))
            elif callable(item):
                steps.append(_Step(where, self._caller(item)))
            else:
                steps.append(_Step(where, self._sender(item)))
        return steps

    def _parse_text(self, script: str | bytes, prefix: str) -> list[_Step]:
        text = script.encode() if isinstance(script, str) else script
        steps = []
        for number, line in enumerate(text.split(b"\n"), 1):
            line = line.lstrip(b" \t")
            if line.strip() and not line.startswith(b"#"):
                where = f"{prefix} {number}"
                try:
                    run = self._parse_line(line)
                except ValueError as error:
                    raise ValueError(f"{where}: {error}: {line!r}") from None
                steps.append(_Step(f"{where}: {line.decode('utf-8', 'replace')}", run))
        return steps

    def _parse_line(self, line: bytes) -> Callable[[], None]:
        match = _LINE.fullmatch(line)
        if match is None:
            return self._parse_directive(line.decode("utf-8", "replace").split())
        side, escaped, open_end, text = match.groups(b"")
        tag_match = _SCRIPT_TAG.match(text)
        tag = tag_match[1] if tag_match else b""
        rest = text[len(tag) :]
        if escaped:
            rest = _ESCAPE.sub(_unescape, rest)
        if not open_end:
            rest += b"\r\n"
        if side == b"C":
            return lambda: self._expect(rest, tag)
        return lambda: self._need_stream().send(self._with_client_tags(tag, rest))

    def _parse_directive(self, words: list[str]) -> Callable[[], None]:
        name, arguments = words[0], words[1:]
        if name == "PAUSE" and len(arguments) == 1:
            seconds = float(arguments[0])
            return lambda: self._pause(seconds)
        if name == "CHUNK" and len(arguments) == 1:
            size = int(arguments[0])
            return lambda: self._set_chunk(size)
        if words == ["TLS"]:
            return self._start_tls
        if words == ["TLS", "FAILS"]:
            return self._start_tls_in_vain
        if words == ["DEFLATE"]:
            return lambda: self._need_stream().start_deflate()
        if words == ["CLOSE"]:
            return self._close_stream
        if words == ["RESET"]:
            return self._reset
        if words == ["ACCEPT"]:
            return self._accept
        raise ValueError("neither C:, S: nor a directive")

    def _add(self, steps: list[_Step]) -> None:
        with self._progress:
            self._steps_left += len(steps)
        for step in steps:
            self._steps.put(step)

    # -- following it, in the peer's thread

    def _run(self) -> None:
        try:
            step = self._steps.get()
            while step is not None:
                where = step.where
                try:
                    step.run()
                except (DialogueFailure, ClientGone) as error:
                    raise DialogueFailure(f"{where}\n  {error}") from error
                except ssl.SSLError as error:
                    raise DialogueFailure(f"{where}\n  TLS failed: {error}") from error
                except Exception as error:
                    raise DialogueFailure(f"{where}\n  the script's own code raised {error!r}") from error
                with self._progress:
                    self._steps_left -= 1
                    self._progress.notify_all()
                step = self._steps.get()
            self._check_nothing_more("the end of the script")
        except DialogueFailure as failure:
            self.failure = str(failure)
        finally:
            # The listener is closed first, so that a client cannot connect again when its connection ends.
            self._listener.close()
            self._end_stream()
            with self._progress:
                self._progress.notify_all()

    def _need_stream(self) -> Stream:
        if self._stream is None:
            raise DialogueFailure("the script has no connection here; ACCEPT is missing")
        return self._stream

    def _check_nothing_more(self, where: str) -> None:
        if self._stream is not None:
            self._stream.receive_waiting()
            extra = bytes(self._stream.buffer)
            if extra:
                raise DialogueFailure(f"{where}\n  the client sent more than the script: {_show(extra)}")

    def _end_stream(self) -> None:
        stream, self._stream = self._stream, None
        if stream is not None:
            stream.close()

    def _accept(self) -> None:
        self._close_stream()
        while True:
            try:
                sock, _ = self._listener.accept()
                break
            except (BlockingIOError, InterruptedError):
                wait_for(self._listener, selectors.EVENT_READ, self._over_reader, self.timeout)
        self._stream = Stream(sock, self._over_reader, self.timeout)
        self._stream.chunk = self._chunk
        if self._implicit_tls:
            self._start_tls()

    def _close_stream(self) -> None:
        self._check_nothing_more("before the connection's end")
        self._end_stream()

    def _reset(self) -> None:
        self._check_nothing_more("before the connection's end")
        stream, self._stream = self._need_stream(), None
        stream.reset()

    def _start_tls(self) -> None:
        if self._tls_context is None:
            raise DialogueFailure("the peer has no tls_context")
        self._need_stream().start_tls(self._tls_context)

    def _start_tls_in_vain(self) -> None:
        try:
            self._start_tls()
            # With TLS 1.3 the server's handshake ends before the client verifies the certificate. The alert, or the
            # end of the connection, comes instead of the first data.
            self._need_stream().receive()
        except (ssl.SSLError, ClientGone) as error:
            if "body was over" in str(error):
                raise
            stream, self._stream = self._need_stream(), None
            stream.reset()
        else:
            raise DialogueFailure("the client went on after the handshake")

    def _pause(self, seconds: float) -> None:
        with selectors.DefaultSelector() as selector:
            selector.register(self._over_reader, selectors.EVENT_READ)
            selector.select(seconds)

    def _set_chunk(self, size: int) -> None:
        self._chunk = size
        self._need_stream().chunk = size

    def _caller(self, call: ScriptCall) -> Callable[[], None]:
        def run() -> None:
            data = call()
            if data is not None:
                self._sender(data)()

        return run

    def _sender(self, data: Data) -> Callable[[], None]:
        def run() -> None:
            stream = self._need_stream()
            if isinstance(data, bytes):
                stream.send(data)
                return
            try:
                for piece in data:
                    stream.send(piece)
            except ClientGone:
                pass  # This is the only end of an endless stream.

        return run

    def _expect(self, rest: bytes, script_tag: bytes = b"") -> None:
        """Receive ``rest`` from the client, after a tag if the script has one."""
        stream = self._need_stream()
        if not script_tag:
            self._compare(stream, 0, rest, rest)
            return
        tag_length = self._read_tag(stream, script_tag + rest)
        tag = bytes(stream.buffer[:tag_length])
        self._compare(stream, tag_length, rest, script_tag + rest)
        if tag in stream.tags.values():
            raise DialogueFailure(f"the client used the tag {tag!r} twice")
        stream.tags[script_tag] = tag

    def _read_tag(self, stream: Stream, expected: bytes) -> int:
        while True:
            match = _CLIENT_TAG.match(stream.buffer)
            if stream.buffer and match is None:
                raise DialogueFailure(self._difference(stream, 0, expected))
            if match and match.end() < len(stream.buffer):
                return match.end()
            self._receive(stream, expected)

    def _compare(self, stream: Stream, start: int, rest: bytes, expected: bytes) -> None:
        end = start + len(rest)
        while True:
            got = bytes(stream.buffer[start:end])
            if got == rest:
                self.received.append(bytes(stream.buffer[:end]))
                del stream.buffer[:end]
                return
            if not rest.startswith(got):
                same = next(i for i, (a, b) in enumerate(zip(got, rest)) if a != b)
                raise DialogueFailure(self._difference(stream, start + same, expected))
            self._receive(stream, expected)

    def _receive(self, stream: Stream, expected: bytes) -> None:
        try:
            stream.receive()
        except (DialogueFailure, ClientGone) as error:
            raise DialogueFailure(
                f"{error}\n  expected: {_show(expected)}\n  got:      {_show(bytes(stream.buffer))}"
            ) from error

    def _difference(self, stream: Stream, position: int, expected: bytes) -> str:
        stream.receive_waiting()
        got = bytes(stream.buffer)
        # The lines after the difference are not shown.
        line_end = got.find(b"\r\n", position)
        if line_end >= 0:
            got = got[: line_end + 2]
        return (
            f"the client sent something else, from byte {position} on\n"
            f"  expected: {_show(expected)}\n  got:      {_show(got)}"
        )

    def _with_client_tags(self, tag: bytes, rest: bytes) -> bytes:
        tags = self._need_stream().tags

        def correlator(match: re.Match[bytes]) -> bytes:
            return b'(TAG "%b")' % tags.get(match[1], match[1])

        return tags.get(tag, tag) + _TAG_CORRELATOR.sub(correlator, rest)


def _unescape(match: re.Match[bytes]) -> bytes:
    escape = match[1]
    if len(escape) == 3:
        return bytes([int(escape[1:], 16)])
    if escape not in _ESCAPES:
        raise ValueError(f"no such escape: \\{escape.decode('utf-8', 'replace')}")
    return _ESCAPES[escape]


def _show(data: bytes, limit: int = 600) -> str:
    if len(data) <= limit:
        return repr(data)
    return f"{data[: limit // 2]!r} ... {data[-limit // 2 :]!r} ({len(data)} bytes)"
