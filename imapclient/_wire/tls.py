"""TLS on a connected socket, and an explanation when it fails. Knows nothing of IMAP."""

from __future__ import annotations

import socket
import ssl

from .waiting import Deadline


def create_default_context(*, cafile: str | None = None) -> ssl.SSLContext:
    """A TLS context that verifies the server's host name, and its certificate against the system's authorities.

    ``cafile`` is a PEM file with authorities to trust instead. Raises OSError if it can't be loaded. The context allows
    TLS 1.2 and newer.
    """
    context = ssl.create_default_context(ssl.Purpose.SERVER_AUTH, cafile=cafile)
    # Python 3.9 leaves the minimum to the system.
    context.minimum_version = max(context.minimum_version, ssl.TLSVersion.TLSv1_2)
    return context


# By OpenSSL's numbers for errors of a certificate (X509_V_ERR_...).
_WRONG_WITH_CERTIFICATE = {
    2: "the server's certificate is from an authority that is not known here",
    9: "the server's certificate is not valid yet",
    10: "the server's certificate has expired",
    18: "the server's certificate is signed by itself only",
    19: "the server's certificate is from an authority that is not known here",
    20: "the server's certificate is from an authority that is not known here",
    21: "the server's certificate is from an authority that is not known here",
    23: "the server's certificate was revoked",
    26: "the server's certificate is not for servers",
    62: "the server's certificate is for another host",
    64: "the server's certificate is for another host",
}
# OpenSSL's reasons if a server does not use TLS. OpenSSL 3.2 and later report the last two for some first bytes.
NO_TLS = ("WRONG_VERSION_NUMBER", "PACKET_LENGTH_TOO_LONG", "RECORD_LAYER_FAILURE")
_OLD_VERSION = "the server supports no version of TLS that is allowed here"
# By the names of OpenSSL's reasons.
_WRONG_WITH_TLS = {
    "UNSUPPORTED_PROTOCOL": _OLD_VERSION,
    "TLSV1_ALERT_PROTOCOL_VERSION": _OLD_VERSION,
    "NO_PROTOCOLS_AVAILABLE": _OLD_VERSION,
    **dict.fromkeys(NO_TLS, "the server does not use TLS on this port"),
}


def _explained(error: ssl.SSLError) -> ssl.SSLError:
    """An error of the handshake, with an explanation before OpenSSL's text. Its class and its attributes stay."""
    words = _WRONG_WITH_CERTIFICATE.get(getattr(error, "verify_code", 0)) or _WRONG_WITH_TLS.get(
        getattr(error, "reason", None) or ""
    )
    if words is None:
        return error
    explained = type(error)(error.errno, f"{words}: {error.strerror}")
    vars(explained).update(vars(error))
    return explained


def check_context(ssl_context: object) -> None:
    """Raise TypeError, before anything is sent, if the value can't wrap a socket: for example, the name of a file."""
    if ssl_context is not None and not hasattr(ssl_context, "wrap_socket"):
        raise TypeError(f"ssl_context must be an SSLContext or None, not {ssl_context!r}")


def wrap_socket(sock: socket.socket, ssl_context: ssl.SSLContext | None, host: str) -> ssl.SSLSocket:
    """Wrap a connected socket in TLS and shake hands, within the socket's own timeout.

    ``ssl_context`` None means `create_default_context()`. Raises socket.timeout, ssl.SSLCertVerificationError if the
    certificate is bad, or another ssl.SSLError. The text of the last two explains the usual causes. After an error the
    socket is closed.
    """
    try:
        if ssl_context is None:
            ssl_context = create_default_context()
        return ssl_context.wrap_socket(sock, server_hostname=host)
    except ssl.SSLError as error:
        sock.close()
        raise _explained(error) from error
    except BaseException:
        sock.close()
        raise


def wrap_within(
    sock: socket.socket, ssl_context: ssl.SSLContext | None, host: str, deadline: Deadline
) -> ssl.SSLSocket:
    """Same as `wrap_socket`, within the time that is left until the deadline."""
    try:
        remaining = deadline.remaining()
        if remaining == 0:
            raise socket.timeout("timed out")
        sock.settimeout(remaining)
    except BaseException:
        sock.close()
        raise
    return wrap_socket(sock, ssl_context, host)


for _function in (create_default_context, wrap_socket):
    _function.__module__ = "imapclient.tls"
