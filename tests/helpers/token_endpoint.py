"""A provider of access tokens (RFC 6749, 6) on loopback, over HTTPS or HTTP."""

from __future__ import annotations

import http.server
import json
import ssl
import threading
import urllib.parse
from collections.abc import Callable

from .closing import Closing

Form = dict[str, str]
Answer = tuple[int, bytes]


def token(text: str, **more: object) -> Callable[[Form], Answer]:
    """Return a function whose answer to each form is this access token."""
    return lambda form: (200, json.dumps({"access_token": text, "token_type": "Bearer", **more}).encode())


class TokenEndpoint(Closing):
    """A server that runs within its ``with`` block. `answer` is called for each form. `asked` has the forms so far."""

    def __init__(self, context: ssl.SSLContext | None = None) -> None:
        self.answer: Callable[[Form], Answer] = token("t0ken")
        self.asked: list[Form] = []
        self.accept: list[str | None] = []
        endpoint = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"])).decode("ascii")
                form = dict(urllib.parse.parse_qsl(body, strict_parsing=True))
                endpoint.asked.append(form)
                endpoint.accept.append(self.headers["Accept"])
                status, answer = endpoint.answer(form)
                self.send_response(status)
                if 300 <= status < 400:
                    self.send_header("Location", answer.decode("ascii"))
                self.end_headers()
                self.wfile.write(answer)

            def log_message(self, format: str, *args: object) -> None:
                """Write nothing to standard error."""

        class Server(http.server.ThreadingHTTPServer):
            def handle_error(self, request: object, client_address: object) -> None:
                """Ignore a client that aborts the handshake."""

        self._server = Server(("127.0.0.1", 0), Handler)
        if context is not None:
            self._server.socket = context.wrap_socket(
                self._server.socket, server_side=True, do_handshake_on_connect=False
            )
        scheme = "http" if context is None else "https"
        self.url = f"{scheme}://localhost:{self._server.server_port}/token"
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.01,))

    def start(self) -> None:
        self._thread.start()

    def close(self) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()
