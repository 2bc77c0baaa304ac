"""For the tests of transports: reading from one, both ends of TLS, and sockets that are left open."""

from __future__ import annotations

import contextlib
import gc
import socket
import ssl
import threading
import time
from collections.abc import Iterator

from imapclient._wire.sockets import Transport
from imapclient._wire.tls import wrap_socket
from tests.helpers import certificates


def received(transport: Transport, size: int, timeout: float | None) -> bytes:
    into: list[bytes] = []
    transport.recv(into, size, timeout)
    (data,) = into
    return data


def received_into(transport: Transport, size: int, timeout: float | None) -> bytes:
    buffer = bytearray(size)
    with memoryview(buffer) as view:
        count = transport.recv_into(view, timeout)
    return bytes(buffer[:count])


def sockets_left() -> list[socket.socket]:
    """Return all open sockets that the garbage collector finds."""
    gc.collect()
    return [item for item in gc.get_objects() if isinstance(item, socket.socket) and item.fileno() != -1]


@contextlib.contextmanager
def tls_server(context: ssl.SSLContext) -> Iterator[tuple[socket.socket, list[ssl.SSLSocket]]]:
    """A connected client socket, not wrapped yet, and a list that gets the server's end after the handshake."""
    with contextlib.ExitStack() as stack:
        listening = stack.enter_context(socket.create_server(("127.0.0.1", 0)))
        client = stack.enter_context(socket.create_connection(listening.getsockname(), 60))
        accepted, _ = listening.accept()
        accepted.settimeout(60)
        served: list[ssl.SSLSocket] = []

        def serve() -> None:
            # A client that refuses sends an alert, or closes the connection.
            with contextlib.suppress(OSError):
                served.append(context.wrap_socket(accepted, server_side=True))

        thread = threading.Thread(target=serve)
        thread.start()
        try:
            yield client, served
        finally:
            client.close()
            thread.join()
            accepted.close()
            for sock in served:
                sock.close()


@contextlib.contextmanager
def tls_pair() -> Iterator[tuple[ssl.SSLSocket, ssl.SSLSocket]]:
    """Yield both ends of a TLS connection."""
    context = certificates.client_context()
    with contextlib.ExitStack() as stack:
        client, served = stack.enter_context(tls_server(certificates.server_context()))
        tls = stack.enter_context(wrap_socket(client, context, "localhost"))
        while not served:
            time.sleep(0.001)
        yield tls, served[0]
