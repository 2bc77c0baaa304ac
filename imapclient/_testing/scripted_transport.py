"""A transport in memory that plays a script. It never waits."""

from __future__ import annotations

import socket
from collections import deque
from collections.abc import Iterable
from typing import Callable

from .._parsing.records import announced_size
from .._wire.sockets import Data
from .script import BYE, TAG, Event, Reply, ScriptError, Step, is_continuation, is_tagged, shown


class ScriptedTransport:
    """A `Transport` in memory that plays a script. ``record`` is called with all data that the client sends."""

    def __init__(self, record: Callable[[bytes], object]) -> None:
        self.failure: ScriptError | None = None
        self._record = record
        self._replies: deque[Reply] = deque()
        self._outgoing: deque[bytes | Event | BaseException] = deque([b"* PREAUTH ready\r\n"])
        # Data from the client: the unparsed data, the beginning of a command, and the size of the next literal.
        self._incoming = b""
        self._begun = b""
        self._literal: int | None = None
        # The current command, its tag, and the rest of its reply.
        self._command = b""
        self._tag = b""
        self._rest: deque[Step] = deque()
        # True after a continuation request: the client's next line is not a command.
        self._is_awaiting = False
        self._is_closed = False

    # -- the script

    def script(self, reply: Reply) -> None:
        self._replies.append(reply)

    def push(self, steps: Iterable[Step]) -> None:
        for step in steps:
            self._put(step)

    def assert_done(self) -> None:
        if self.failure is not None:
            raise self.failure
        left = [f"of the reply to {shown(self._command)}: {shown(self._wire(step))}" for step in self._rest]
        left += [f"not read by the client: {shown(data)}" for data in self._outgoing if not isinstance(data, Event)]
        for reply in self._replies:
            command = "any command" if reply.to is None else shown(reply.to)
            left.append(f"for {command}, which the client did not send: {', '.join(map(repr, reply.items))}")
        if left:
            raise ScriptError("the script is not finished:\n  " + "\n  ".join(left))

    def _fail(self, message: str) -> ScriptError:
        self.failure = self.failure or ScriptError(message)
        return self.failure

    # -- from the client

    def send_now(self, data: memoryview) -> int:
        self.sendall(data, None)
        return len(data)

    def sendall(self, data: Data, timeout: float | None) -> None:
        self._record(bytes(data))
        self._incoming += data
        while not self._is_closed and self._take():
            pass

    def _take(self) -> bool:
        """Consume a literal or a line. Returns False if none is complete."""
        if self._literal is not None:
            if len(self._incoming) < self._literal:
                return False
            self._begun += self._incoming[: self._literal]
            self._incoming = self._incoming[self._literal :]
            self._literal = None
            return True
        line, end, rest = self._incoming.partition(b"\r\n")
        if not end:
            return False
        self._incoming = rest
        if self._is_awaiting:
            self._is_awaiting = False
            # The client has sent its line, so it does not wait for the pauses that are left.
            self._outgoing = deque(data for data in self._outgoing if data is not Event.PAUSE)
            self._go_on()
            return True
        self._begun += line
        size = announced_size(line)
        if size is None:
            command, self._begun = self._begun, b""
            self._answer(command)
        else:
            self._begun += end
            self._literal = size
            if not line.endswith(b"+}"):
                self._ask_for_literal()
        return True

    def _ask_for_literal(self) -> None:
        steps = self._next_reply(self._begun.partition(b" ")[2]).steps
        self._put(steps.popleft() if steps and is_continuation(steps[0]) else (b"+ go on\r\n",))

    def _next_reply(self, command: bytes) -> Reply:
        if not self._replies:
            raise self._fail(
                f"nothing is scripted for the command {shown(command)}: call script() with its reply first"
            )
        return self._replies[0]

    def _answer(self, command: bytes) -> None:
        self._tag, _, self._command = command.partition(b" ")
        if self._command == b"LOGOUT" and not (self._replies and self._replies[0].to == b"LOGOUT"):
            # Nearly every program ends with LOGOUT, so this reply needs no script.
            self._rest = deque(BYE)
        else:
            reply = self._next_reply(self._command)
            if not reply.is_for(self._command):
                raise self._fail(
                    "another command is scripted\n"
                    f"  expected: {shown(reply.to or b'')}\n"
                    f"  sent:     {shown(self._command)}"
                )
            self._replies.popleft()
            self._rest = reply.steps
        self._go_on()

    # -- to the client

    def _go_on(self) -> None:
        """Send the steps of the reply, until a step must wait for a line from the client."""
        while self._rest:
            step = self._rest[0]
            if self._is_awaiting and (is_continuation(step) or is_tagged(step)):
                return
            self._put(self._rest.popleft())
            self._is_awaiting = self._is_awaiting or is_continuation(step)

    def _put(self, step: Step) -> None:
        self._is_closed = self._is_closed or step is Event.CLOSE
        self._outgoing.append(self._wire(step))

    def _wire(self, step: Step) -> bytes | Event | BaseException:
        if not isinstance(step, tuple):
            return step
        return b"".join(part if index % 2 else part.replace(TAG, self._tag) for index, part in enumerate(step))

    def recv(self, into: list[bytes], size: int, timeout: float | None) -> None:
        if not self._outgoing:
            raise self._silence(timeout)
        data = self._outgoing.popleft()
        if data is Event.CLOSE:
            into.append(b"")
        elif isinstance(data, Event):
            raise socket.timeout("timed out")
        elif isinstance(data, BaseException):
            raise data
        else:
            if len(data) > size:
                self._outgoing.appendleft(data[size:])
            into.append(data[:size])

    def recv_into(self, buffer: memoryview, timeout: float | None) -> int:
        into: list[bytes] = []
        self.recv(into, len(buffer), timeout)
        buffer[: len(into[0])] = into[0]
        return len(into[0])

    def _silence(self, timeout: float | None) -> BaseException:
        """The error to raise if the client reads and there is no data. With a real server the client would wait."""
        if timeout == 0:
            return socket.timeout("timed out")
        if self._is_awaiting and self._command == b"IDLE":
            return self._fail("nothing more is scripted for idle_check(): add PAUSE to let its timeout pass")
        return self._fail(f"the reply scripted for {shown(self._command)} ends without OK, NO or BAD: add such a line")

    def close(self) -> None:
        """Do nothing: there is no socket."""
