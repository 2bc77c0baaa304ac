"""Errors of sockets and of TLS, as errors of this package."""

from __future__ import annotations

import copy
import errno
import pickle
import socket
import ssl
from typing import Any

import pytest

from imapclient._connection import failures
from imapclient._connection.failures import as_abort_error
from imapclient._wire.waiting import is_timeout
from imapclient.exceptions import ConnectionAbortError, IMAPClientAbortError, IMAPClientError

_ERRORS = [
    OSError(errno.EHOSTUNREACH, "No route to host"),
    socket.timeout("timed out"),
    TimeoutError(errno.ETIMEDOUT, "Connection timed out"),
    BrokenPipeError(errno.EPIPE, "Broken pipe"),
    ConnectionAbortedError(errno.ECONNABORTED, "Software caused connection abort"),
    ConnectionRefusedError(errno.ECONNREFUSED, "Connection refused"),
    ConnectionResetError(errno.ECONNRESET, "Connection reset by peer"),
    PermissionError(errno.EPERM, "Operation not permitted"),
    socket.gaierror(socket.EAI_NONAME, "Name or service not known"),
    socket.herror(1, "Unknown host"),
    ssl.SSLError(1, "[SSL: WRONG_VERSION_NUMBER] wrong version number"),
    ssl.SSLCertVerificationError(1, "certificate verify failed"),
    ssl.SSLEOFError(8, "EOF occurred in violation of protocol"),
    ssl.SSLZeroReturnError(6, "TLS/SSL connection has been closed"),
    ssl.SSLSyscallError(5, "Some I/O error occurred"),
    ssl.SSLWantReadError(2, "The operation did not complete"),
    ssl.SSLWantWriteError(3, "The operation did not complete"),
]


def _name(error: object) -> str:
    return type(error).__name__


def _data(error: BaseException) -> Any:
    return type(error), error.args, str(error), getattr(error, "errno", None), vars(error)


@pytest.mark.parametrize("error", _ERRORS, ids=_name)
def test_the_original_class_and_its_data_are_kept(error: OSError) -> None:
    found = as_abort_error(error)
    assert isinstance(found, type(error))
    assert isinstance(found, ConnectionAbortError)
    assert isinstance(found, IMAPClientAbortError)
    assert (found.args, str(found), vars(found)) == (error.args, str(error), vars(error))
    assert found.errno == error.errno
    assert type(found).__module__ == failures.__name__


@pytest.mark.parametrize("error", _ERRORS, ids=_name)
def test_each_can_be_pickled_and_copied(error: OSError) -> None:
    found = as_abort_error(error)
    assert isinstance(found, ConnectionAbortError)
    found.command, found.status, found.text, found.code = "NOOP", "BYE", "Going down", (b"UNAVAILABLE", ())
    for protocol in range(pickle.HIGHEST_PROTOCOL + 1):
        assert _data(pickle.loads(pickle.dumps(found, protocol))) == _data(found)
    assert _data(copy.copy(found)) == _data(found)
    assert _data(copy.deepcopy(found)) == _data(found)


def test_every_class_has_its_error() -> None:
    classes = {
        value for value in vars(failures).values() if isinstance(value, type) and value.__module__ == failures.__name__
    }
    # One class in Python 3.10 and later.
    unused = {failures.PeerTimeoutAbortError} if socket.timeout is TimeoutError else set()
    assert {type(as_abort_error(error)) for error in _ERRORS} == classes - unused


def test_the_attributes_of_tls_errors_are_kept() -> None:
    error = ssl.SSLCertVerificationError(1, "certificate verify failed")
    vars(error).update(reason="CERTIFICATE_VERIFY_FAILED", library="SSL", verify_code=18, verify_message="self-signed")
    found = pickle.loads(pickle.dumps(as_abort_error(error)))
    assert isinstance(found, ssl.SSLCertVerificationError)
    assert (found.reason, found.library, found.verify_code) == ("CERTIFICATE_VERIFY_FAILED", "SSL", 18)


def test_an_error_of_this_package_stays_itself() -> None:
    error = as_abort_error(ConnectionResetError(errno.ECONNRESET, "reset"))
    assert isinstance(error, OSError)
    assert as_abort_error(error) is error


class _ProxyError(ConnectionRefusedError):
    """Of a socket that is not the standard library's, with a constructor of its own."""

    def __init__(self, host: str, code: int) -> None:
        super().__init__(f"{host}: {code}")


def test_an_error_of_another_class_is_mapped_by_its_base() -> None:
    found = as_abort_error(_ProxyError("mail.example", 7))
    assert type(found) is failures.ConnectionRefusedAbortError
    assert isinstance(found, IMAPClientError)
    assert str(found) == "mail.example: 7"
    assert type(as_abort_error(FileNotFoundError(errno.ENOENT, "no such file"))) is failures.OSAbortError


def test_what_is_a_timeout() -> None:
    assert is_timeout(socket.timeout("timed out"))
    assert is_timeout(as_abort_error(socket.timeout("timed out")))
    assert not is_timeout(TimeoutError(errno.ETIMEDOUT, "Connection timed out"))
    assert not is_timeout(ConnectionResetError())
    assert not is_timeout(ValueError())
