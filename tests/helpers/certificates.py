"""Certificates for the tests, issued by authorities that live as long as the process.

Nothing is written to disk here: a server that wants files writes the PEM bytes where it keeps
its other files.
"""

from __future__ import annotations

import datetime
import functools
import ipaddress
import ssl
import warnings

import trustme
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, load_pem_private_key
from cryptography.x509.oid import ExtendedKeyUsageOID

#: The names in a valid server certificate.
SERVER_NAMES = ("localhost", "127.0.0.1", "::1")


class Authority:
    """A certificate authority, and TLS contexts with its certificates."""

    def __init__(self) -> None:
        self._ca = trustme.CA()

    @property
    def ca_pem(self) -> bytes:
        """The authority's certificate in PEM form, such as ``b"-----BEGIN CERTIFICATE..."``."""
        return self._ca.cert_pem.bytes()

    def signing_key(self) -> ec.EllipticCurvePrivateKey:
        """The authority's key, for kinds of certificates that trustme does not issue."""
        key = load_pem_private_key(self._ca.private_key_pem.bytes(), None)
        assert isinstance(key, ec.EllipticCurvePrivateKey)
        return key

    def issue(self, *names: str, expired: bool = False) -> trustme.LeafCert:
        """Return a new server certificate for the names. The default is `SERVER_NAMES`."""
        not_before = not_after = None
        if expired:
            now = datetime.datetime.now(datetime.timezone.utc)
            not_before = now - datetime.timedelta(days=2)
            not_after = now - datetime.timedelta(days=1)
        return self._ca.issue_cert(*(names or SERVER_NAMES), not_before=not_before, not_after=not_after)

    def server_context(self, *names: str, expired: bool = False) -> ssl.SSLContext:
        """Return a server's context with a new certificate for the names."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.issue(*names, expired=expired).configure_cert(context)
        return context

    def client_context(self, common_name: str | None = None) -> ssl.SSLContext:
        """Return a client's context that verifies the server and trusts this authority only.

        With `common_name` the client presents a certificate of its own with that name.
        """
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        self._ca.configure_trust(context)
        if common_name is not None:
            certificate = self._ca.issue_cert(f"{common_name}@example.invalid", common_name=common_name)
            certificate.configure_cert(context)
        return context


@functools.cache
def authority() -> Authority:
    """Return the authority that the tests' clients trust. It is always the same one."""
    return Authority()


@functools.cache
def untrusted_authority() -> Authority:
    """Return an authority that no client of the tests trusts. It is always the same one."""
    return Authority()


@functools.cache
def server_context() -> ssl.SSLContext:
    """Return a server's context that `client_context` accepts for localhost and 127.0.0.1."""
    return authority().server_context()


@functools.cache
def wrong_ca_server_context() -> ssl.SSLContext:
    """Return a server's context with the right names, from an authority that no client trusts."""
    return untrusted_authority().server_context()


@functools.cache
def wrong_host_server_context() -> ssl.SSLContext:
    """Return a server's context from the trusted authority, for another host."""
    return authority().server_context("elsewhere.example.invalid")


@functools.cache
def expired_server_context() -> ssl.SSLContext:
    """Return a server's context with the right names, whose certificate expired yesterday."""
    return authority().server_context(expired=True)


@functools.cache
def client_only_server_context() -> ssl.SSLContext:
    """Return a server's context from the trusted authority. The certificate is for clients only."""
    key = ec.generate_private_key(ec.SECP256R1())
    issuer = x509.load_pem_x509_certificate(authority().ca_pem)
    now = datetime.datetime.now(datetime.timezone.utc)
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "localhost")])
    names = [x509.DNSName("localhost"), x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]
    certificate = (
        x509.CertificateBuilder(issuer.subject, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName(names), critical=False)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.CLIENT_AUTH]), critical=False)
        .sign(authority().signing_key(), hashes.SHA256())
    )
    return _context_with(certificate, key)


@functools.cache
def old_tls_server_context() -> ssl.SSLContext:
    """Return a server's context that speaks TLS 1.0 and 1.1 only."""
    context = authority().server_context()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        context.minimum_version = ssl.TLSVersion.TLSv1
        context.maximum_version = ssl.TLSVersion.TLSv1_1
        context.set_ciphers("ALL:@SECLEVEL=0")
    return context


@functools.cache
def self_signed_server_context() -> ssl.SSLContext:
    """Return a server's context with a self-signed certificate for localhost."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "localhost")])
    now = datetime.datetime.now(datetime.timezone.utc)
    certificate = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
        .sign(key, hashes.SHA256())
    )
    return _context_with(certificate, key)


def _context_with(certificate: x509.Certificate, key: ec.EllipticCurvePrivateKey) -> ssl.SSLContext:
    pem = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()) + certificate.public_bytes(Encoding.PEM)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    with trustme.Blob(pem).tempfile() as path:
        context.load_cert_chain(path)
    return context


def client_context() -> ssl.SSLContext:
    """Return a new context that trusts `authority`; a test may change it."""
    return authority().client_context()
