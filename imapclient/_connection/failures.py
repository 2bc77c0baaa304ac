"""Errors of sockets and of TLS, as errors of this package. The only module that maps one to the other.

Each class here is a ConnectionAbortError and also of the original's class. So ``except socket.timeout``,
``except OSError`` and ``except ssl.SSLError`` work as they do without this package. All can be pickled and copied.
"""

from __future__ import annotations

import socket
import ssl

from ..exceptions import ConnectionAbortError, IMAPClientAbortError


class OSAbortError(ConnectionAbortError, OSError):
    """An error of the system for which no class below fits. The connection is unusable."""


class TimeoutAbortError(ConnectionAbortError, socket.timeout):
    """Nothing was received, or could be sent, within the timeout. The connection is unusable.

    From Python 3.10 on it also stands for ETIMEDOUT: the system found that the peer no longer answers.
    """


class PeerTimeoutAbortError(ConnectionAbortError, TimeoutError):
    """The system found that the peer no longer answers (ETIMEDOUT, Python 3.9). The connection is unusable."""


class BrokenPipeAbortError(ConnectionAbortError, BrokenPipeError):
    """We sent on a connection that is closed (EPIPE). The connection is unusable."""


class ConnectionAbortedAbortError(ConnectionAbortError, ConnectionAbortedError):
    """The system ended the connection (ECONNABORTED). The connection is unusable."""


class ConnectionRefusedAbortError(ConnectionAbortError, ConnectionRefusedError):
    """Nobody listens there (ECONNREFUSED). The connection is unusable."""


class ConnectionResetAbortError(ConnectionAbortError, ConnectionResetError):
    """The peer reset the connection (ECONNRESET). The connection is unusable."""


class PermissionAbortError(ConnectionAbortError, PermissionError):
    """The system, for example a firewall, does not allow it (EPERM, EACCES). The connection is unusable."""


class AddressAbortError(ConnectionAbortError, socket.gaierror):
    """No address was found for the host. The connection is unusable."""


class HostAbortError(ConnectionAbortError, socket.herror):
    """An older function of the system does not know the host. The connection is unusable."""


class TLSAbortError(ConnectionAbortError, ssl.SSLError):
    """An error of TLS for which no class below fits. The connection is unusable."""


class CertificateAbortError(ConnectionAbortError, ssl.SSLCertVerificationError):
    """The server's certificate is not trusted. The connection is unusable."""


class TLSEndAbortError(ConnectionAbortError, ssl.SSLEOFError):
    """The connection ended without the end of TLS. The connection is unusable."""


class TLSClosedAbortError(ConnectionAbortError, ssl.SSLZeroReturnError):
    """The peer closed TLS. The connection is unusable."""


class TLSSystemAbortError(ConnectionAbortError, ssl.SSLSyscallError):
    """The system failed under TLS. The connection is unusable."""


class TLSReadAbortError(ConnectionAbortError, ssl.SSLWantReadError):
    """TLS has to receive before it goes on. The connection is unusable."""


class TLSWriteAbortError(ConnectionAbortError, ssl.SSLWantWriteError):
    """TLS has to send before it goes on. The connection is unusable."""


_CLASSES: dict[type[BaseException], type[ConnectionAbortError]] = {
    OSError: OSAbortError,
    # From Python 3.10 on this is the class socket.timeout, and the entry below replaces this one.
    TimeoutError: PeerTimeoutAbortError,
    socket.timeout: TimeoutAbortError,
    BrokenPipeError: BrokenPipeAbortError,
    ConnectionAbortedError: ConnectionAbortedAbortError,
    ConnectionRefusedError: ConnectionRefusedAbortError,
    ConnectionResetError: ConnectionResetAbortError,
    PermissionError: PermissionAbortError,
    socket.gaierror: AddressAbortError,
    socket.herror: HostAbortError,
    ssl.SSLError: TLSAbortError,
    ssl.SSLCertVerificationError: CertificateAbortError,
    ssl.SSLEOFError: TLSEndAbortError,
    ssl.SSLZeroReturnError: TLSClosedAbortError,
    ssl.SSLSyscallError: TLSSystemAbortError,
    ssl.SSLWantReadError: TLSReadAbortError,
    ssl.SSLWantWriteError: TLSWriteAbortError,
}


def as_abort_error(error: OSError) -> IMAPClientAbortError:
    """The ConnectionAbortError for an error of a socket or of TLS. It is also of the original's class.

    ``as_abort_error(ConnectionResetError(104, 'reset'))`` is a `ConnectionResetAbortError` with the same arguments and
    attributes. If a class has no entry, the nearest of its base classes counts. An IMAPClientAbortError is returned as
    it is.
    """
    if isinstance(error, IMAPClientAbortError):
        return error
    kind = next(_CLASSES[base] for base in type(error).__mro__ if base in _CLASSES)
    result = kind(*error.args)
    vars(result).update(vars(error))
    return result
