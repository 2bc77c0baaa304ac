"""The mechanisms, without a connection: their responses, and what they refuse."""

from __future__ import annotations

import base64
import contextlib
import hashlib
import hmac
import sys
import traceback
from typing import Any, Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from imapclient._auth import mechanisms as sasl
from imapclient.exceptions import ProtocolError
from imapclient.sasl import (
    Anonymous,
    CramMD5,
    Dialogue,
    External,
    Login,
    Mechanism,
    OAuthBearer,
    Plain,
    ScramSHA1,
    ScramSHA256,
    XOAuth2,
)

# -- their responses


def test_plain() -> None:
    """The example of RFC 4616, 4, and the one with an authorization identity."""
    assert Plain("tim", "tanstaaftanstaaf")(b"") == b"\0tim\0tanstaaftanstaaf"
    assert Plain("Kurt", "xipj3plmq", "Ursel")(b"") == b"Ursel\0Kurt\0xipj3plmq"


def test_login() -> None:
    mechanism = Login("ann", "secret")
    assert mechanism(b"User Name\0") == b"ann"
    assert not mechanism.complete
    assert mechanism(b"Password\0") == b"secret"
    assert mechanism.complete


def test_cram_md5() -> None:
    """The example of RFC 2195, 2."""
    mechanism = CramMD5("tim", "tanstaaftanstaaf")
    challenge = b"<1896.697170952@postoffice.reston.mci.net>"
    assert mechanism(challenge) == b"tim b913a602c7eda7a495b4e6e7334d3890"


def test_external() -> None:
    assert External()(b"") == b""
    assert External("fred@example.com")(b"") == b"fred@example.com"


def test_anonymous() -> None:
    assert Anonymous()(b"") == b""
    assert Anonymous("sirhc")(b"") == b"sirhc"


def test_xoauth2() -> None:
    assert XOAuth2("someuser@example.com", "ya29.vF9dft4qmTc2Nvb3RlckBhdHRhdmlzdGEuY29tCg")(b"") == (
        b"user=someuser@example.com\x01auth=Bearer ya29.vF9dft4qmTc2Nvb3RlckBhdHRhdmlzdGEuY29tCg\x01\x01"
    )
    assert XOAuth2("ann", "t", "acme")(b"") == b"user=ann\x01auth=Bearer t\x01vendor=acme\x01\x01"
    assert XOAuth2("ann", "t", name="XOAUTH").name == "XOAUTH"


def test_oauthbearer() -> None:
    """The first example of RFC 7628, 4.1."""
    mechanism = OAuthBearer(
        "user@example.com", "vF9dft4qmTc2Nvb3RlckBhbHRhdmlzdGEuY29tCg==", host="server.example.com", port=143
    )
    assert base64.b64encode(mechanism(b"")) == (
        b"bixhPXVzZXJAZXhhbXBsZS5jb20sAWhvc3Q9c2VydmVyLmV4YW1wbGUuY29tAXBvcnQ9MTQzAWF1dGg9QmVhcmVyIHZGOWRmdDRxbVRjMk52"
        b"YjNSbGNrQmhiSFJoZG1semRHRXVZMjl0Q2c9PQEB"
    )


@pytest.mark.parametrize(
    ("identity", "header"),
    [
        ("", b"n,,"),
        ("ann", b"n,a=ann,"),
        ("a,b=c", b"n,a=a=2Cb=3Dc,"),
        ("=2C", b"n,a==3D2C,"),
        ("änn", b"n,a=\xc3\xa4nn,"),
    ],
)
def test_oauthbearer_escapes_the_identity(identity: str, header: bytes) -> None:
    assert OAuthBearer(identity, "t")(b"") == header + b"\x01auth=Bearer t\x01\x01"


@pytest.mark.parametrize(
    ("mechanism", "last_word"), [(XOAuth2("ann", "t"), b""), (OAuthBearer("ann", "t"), b"\x01")], ids=repr
)
@pytest.mark.parametrize(
    ("challenge", "failure"),
    [
        (b'{"status":"invalid_token","scope":"mail"}', {"status": "invalid_token", "scope": "mail"}),
        (b'{"status":"\\u00e4","n":[1,{"x":null}]}', {"status": "ä", "n": [1, {"x": None}]}),
        (b"", None),
        (b"not json", b"not json"),
        (b'["list"]', b'["list"]'),
        (b"\xff\xfe", b"\xff\xfe"),
        (b"[" * 60000, b"[" * 60000),
        (b'{"a":' * 10000, b'{"a":' * 10000),
        (b'{"a":"' + b"x" * 70000 + b'"}', b'{"a":"' + b"x" * 70000 + b'"}'),
    ],
    ids=range(9),
)
def test_why_a_server_refuses(mechanism: Mechanism, last_word: bytes, challenge: bytes, failure: Any) -> None:
    mechanism.start()
    assert mechanism.failure is None
    mechanism(b"")
    assert mechanism(challenge) == last_word
    assert mechanism.failure == failure
    assert len(mechanism.failure_shown) <= 1600
    assert mechanism.failure_shown.isprintable()


# -- SCRAM

_Vector = tuple[type[ScramSHA256], str, bytes, bytes, bytes, bytes]

#: RFC 5802, 5 and RFC 7677, 3: user "user", password "pencil".
VECTORS: list[_Vector] = [
    (
        ScramSHA1,
        "fyko+d2lbbFgONRv9qkxdawL",
        b"n,,n=user,r=fyko+d2lbbFgONRv9qkxdawL",
        b"r=fyko+d2lbbFgONRv9qkxdawL3rfcNHYJY1ZVvWVs7j,s=QSXCR+Q6sek8bf92,i=4096",
        b"c=biws,r=fyko+d2lbbFgONRv9qkxdawL3rfcNHYJY1ZVvWVs7j,p=v0X8v3Bz2T0CJGbJQyF0X+HI4Ts=",
        b"v=rmF9pqV8S7suAoZWja4dJRkFsKQ=",
    ),
    (
        ScramSHA256,
        "rOprNGfwEbeRWgbNEkqO",
        b"n,,n=user,r=rOprNGfwEbeRWgbNEkqO",
        b"r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096",
        b"c=biws,r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,p=dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=",
        b"v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=",
    ),
]


@pytest.fixture(params=VECTORS, ids=[vector[0].name for vector in VECTORS])
def vector(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> _Vector:
    """One of VECTORS. The client's next nonce is the one of the vector."""
    vector: _Vector = request.param
    monkeypatch.setattr(sasl, "_nonce", lambda: vector[1])
    return vector


def test_scram(vector: _Vector) -> None:
    kind, _, client_first, server_first, client_final, server_final = vector
    for password in ("pencil", b"pencil"):
        mechanism = kind("user", password)
        assert mechanism(b"") == client_first
        assert mechanism(server_first) == client_final
        assert not mechanism.complete
        assert mechanism(server_final) == b""
        assert mechanism.complete
        with pytest.raises(ProtocolError, match="sent a challenge after the last response"):
            mechanism(b"")


def test_scram_has_a_new_nonce_each_time() -> None:
    mechanism = ScramSHA256("user", "pencil")
    messages = set()
    for _ in range(5):
        mechanism.start()
        messages.add(mechanism(b""))
    assert len(messages) == 5
    assert {message.partition(b",r=")[0] for message in messages} == {b"n,,n=user"}
    assert min(map(len, messages)) >= len(b"n,,n=user,r=") + 24


def _changed(message: bytes, *changes: tuple[bytes, bytes]) -> bytes:
    for old, new in changes:
        assert old in message
        message = message.replace(old, new)
    return message


@pytest.mark.parametrize(
    "iterations",
    [b"0", b"1", b"4095", b"1000001", b"2147483648", b"9" * 5000, b"-1", b"04096", b"4_096", b" 4096", b"4096x", b"",
     b"4096,i=2147483648", "٤٠٩٦".encode(), b"4096.0", b"+4096"],
)  # fmt: skip
def test_scram_counts_the_iterations_before_it_hashes(
    vector: _Vector, iterations: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    kind, _, _, server_first, _, _ = vector
    mechanism = kind("user", "pencil")
    mechanism(b"")

    def hashes(*_: object) -> bytes:
        raise AssertionError("it hashes")

    monkeypatch.setattr(hashlib, "pbkdf2_hmac", hashes)
    monkeypatch.setattr(hmac, "new", hashes)
    with pytest.raises(ProtocolError, match="number of iterations must be from 4096 to 1000000"):
        mechanism(_changed(server_first, (b"i=4096", b"i=" + iterations)))
    assert not mechanism.complete


def test_scram_takes_no_nonce_that_is_absurdly_long(vector: _Vector) -> None:
    """The client would repeat it, and then search every response for it."""
    kind, nonce, _, server_first, _, _ = vector
    mechanism = kind("user", "pencil")
    own, rest = f"r={nonce}".encode(), server_first[server_first.index(b",s=") :]
    longest = own.ljust(len("r=") + 1024, b"x")
    mechanism(b"")
    assert mechanism(longest + rest).startswith(b"c=biws," + longest + b",p=")
    mechanism.start()
    mechanism(b"")
    with pytest.raises(ProtocolError, match="the nonce is longer than 1024 characters"):
        mechanism(longest + b"x" + rest)
    assert not mechanism.complete


def test_scram_with_another_bound(vector: _Vector) -> None:
    kind, _, _, server_first, _, _ = vector
    mechanism = kind("user", "pencil", max_iterations=5000)
    mechanism(b"")
    assert b",p=" in mechanism(_changed(server_first, (b"i=4096", b"i=5000")))
    mechanism.start()
    mechanism(b"")
    with pytest.raises(ProtocolError, match="must be from 4096 to 5000"):
        mechanism(_changed(server_first, (b"i=4096", b"i=5001")))


@pytest.mark.parametrize(
    "message",
    [
        b"",
        b"r=",
        b",",
        b"=",
        b"i=4096",
        b"r=x,s=QSXCR+Q6sek8bf92,i=4096",
        b"r=@,s=QSXCR+Q6sek8bf9,i=4096",
        b"r=@,i=4096",
        b"s=QSXCR+Q6sek8bf92,i=4096",
        b"m=x,r=@1,s=QSXCR+Q6sek8bf92,i=4096",
        b"r=@1;s=QSXCR+Q6sek8bf92;i=4096",
        b"\xff",
        b"\0" * 1000,
        b"r=@1,s=QSXCR+Q6sek8bf92,i=4096,",
    ],
)
def test_scram_with_a_first_message_that_can_not_be_read(vector: _Vector, message: bytes) -> None:
    kind, nonce, _, _, _, _ = vector
    mechanism = kind("user", "pencil")
    mechanism(b"")
    with pytest.raises(ProtocolError, match="message is not valid"):
        mechanism(message.replace(b"@", nonce.encode()))
    assert not mechanism.complete
    with pytest.raises(ProtocolError, match="after the last response"):
        mechanism(b"")


@pytest.mark.parametrize(
    "message", [b"", b"v=", b"v=AAAA", b"v=!", b"x", b"\xff", b"v=\xc3\xa4", b"c=biws,v=AAAA", b"v"]
)
def test_scram_with_a_server_that_does_not_know_the_password(vector: _Vector, message: bytes) -> None:
    kind, _, _, server_first, _, _ = vector
    mechanism = kind("user", "pencil")
    mechanism(b"")
    mechanism(server_first)
    with pytest.raises(ProtocolError, match="message is not valid"):
        mechanism(message)
    assert not mechanism.complete


def test_scram_with_the_signature_of_another_exchange(vector: _Vector) -> None:
    kind, _, _, server_first, _, server_final = vector
    mechanism = kind("user", "pencil")
    mechanism(b"")
    mechanism(_changed(server_first, (b",s=", b"x,s=")))
    with pytest.raises(ProtocolError, match="message is not valid"):
        mechanism(server_final)
    assert not mechanism.complete


@pytest.mark.parametrize("error", [b"e=invalid-proof", b"e=unknown-user", b"e=no-such-thing", b"e=", b"e=\xff\r\n"])
@pytest.mark.parametrize("turn", [1, 2])
def test_scram_with_a_server_that_says_why_it_refuses(vector: _Vector, turn: int, error: bytes) -> None:
    kind, _, _, server_first, _, _ = vector
    mechanism = kind("user", "pencil")
    mechanism(b"")
    if turn == 2:
        mechanism(server_first)
    assert mechanism(error) == b""
    assert mechanism.failure == error
    assert not mechanism.complete
    assert mechanism.failure_shown.isprintable()


@given(st.binary(max_size=200) | st.text("rsiveп=,1A+/ \0x", max_size=60).map(str.encode), st.booleans())
def test_scram_raises_nothing_but_protocol_errors(message: bytes, is_final: bool) -> None:
    mechanism = ScramSHA1("user", "pencil")
    nonce = mechanism(b"").rpartition(b",r=")[2]
    if is_final:
        mechanism(b"r=%bx,s=QSXCR+Q6sek8bf92,i=4096" % nonce)
    with contextlib.suppress(ProtocolError):
        mechanism(message)
    assert not mechanism.complete


@pytest.mark.parametrize("kind", [ScramSHA1, ScramSHA256])
@pytest.mark.parametrize(
    ("name", "password"), [("", "x"), ("ann\n", "x"), ("ann", "x\n"), ("ann", "\x7f"), ("ann", "\u06271")]
)
def test_what_scram_can_not_carry_is_refused_at_once(kind: type[ScramSHA256], name: str, password: str) -> None:
    with pytest.raises(ValueError, match="SCRAM-SHA"):
        kind(name, password)


@pytest.mark.parametrize("name", ["a,b", "a=b", "a,r=nonce", "\uff0c", "=2C"])
def test_scram_escapes_the_name_or_refuses_it(name: str) -> None:
    """The version of scramp for Python 3.9 does not escape it."""
    if sys.version_info < (3, 10):
        with pytest.raises(ValueError, match="needs a newer scramp"):
            ScramSHA256(name, "x")
        return
    first = ScramSHA256(name, "x")(b"").decode("ascii")
    assert first.count(",") == 3
    assert first.split(",")[2] in ("n=a=2Cb", "n=a=3Db", "n=a=2Cr=3Dnonce", "n==2C", "n==3D2C")


def test_scram_without_scramp(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "scramp", None)
    with pytest.raises(ImportError, match=r"extra 'scram'.*pip install 'scramp>="):
        ScramSHA256("ann", "secret")


# -- what all mechanisms refuse, hide and keep

Make = Callable[[Any, Any], Mechanism]

#: Each mechanism with a name and a secret.
WITH_SECRET: dict[str, Make] = {
    "PLAIN": Plain,
    "LOGIN": Login,
    "CRAM-MD5": CramMD5,
    "SCRAM-SHA-1": ScramSHA1,
    "SCRAM-SHA-256": ScramSHA256,
    "XOAUTH2": XOAuth2,
    "OAUTHBEARER": OAuthBearer,
}
with_secret = pytest.mark.parametrize("make", WITH_SECRET.values(), ids=WITH_SECRET)
CHALLENGES = (b"", b"r=x,s=QSXCR+Q6sek8bf92,i=4096", b"", b"")


@pytest.mark.parametrize("name", WITH_SECRET)
def test_names(name: str) -> None:
    assert WITH_SECRET[name]("ann", "secret").name == name


def test_who_speaks_first() -> None:
    kinds = (Plain, Login, CramMD5, ScramSHA1, ScramSHA256, XOAuth2, OAuthBearer, External, Anonymous)
    assert {kind.name for kind in kinds if not kind.client_first} == {"LOGIN", "CRAM-MD5"}


@with_secret
@pytest.mark.parametrize("bad", ["\0", "x\0y", b"\0", "\udc80", "a\ud800b"])
def test_text_that_can_not_be_sent(make: Make, bad: Any) -> None:
    with pytest.raises(ValueError, match=r"must not contain|half of a surrogate"):
        make(bad, "secret")
    with pytest.raises(ValueError, match=r"must not contain|half of a surrogate"):
        make("ann", bad)


@with_secret
@pytest.mark.parametrize("bad", [None, 5, 1.5, ["x"], (b"x",), object()])
def test_what_is_no_text(make: Make, bad: Any) -> None:
    with pytest.raises(TypeError):
        make(bad, "secret")
    with pytest.raises(TypeError):
        make("ann", bad)


@pytest.mark.parametrize("bad", ["a\x01b", "token\n", "\r", "\t", "\x7f", b"\x1f"])
@pytest.mark.parametrize(
    "make",
    [
        lambda bad: XOAuth2(bad, "t"),
        lambda bad: XOAuth2("ann", bad),
        lambda bad: XOAuth2("ann", "t", bad),
        lambda bad: OAuthBearer(bad, "t"),
        lambda bad: OAuthBearer("ann", bad),
        lambda bad: OAuthBearer("ann", "t", host=bad),
    ],
)
def test_control_characters_in_the_fields_of_oauth(make: Callable[[Any], Mechanism], bad: Any) -> None:
    with pytest.raises(ValueError, match="must not contain control characters"):
        make(bad)


def test_a_port_that_is_no_number() -> None:
    with pytest.raises(TypeError):
        OAuthBearer("ann", "t", host="h", port="1\x01auth=x")  # type: ignore[arg-type]


@pytest.mark.parametrize("make", [External, Anonymous, lambda bad: Plain("ann", "x", bad)])
@pytest.mark.parametrize(("bad", "error"), [("a\0", ValueError), (b"\0", ValueError), (5, TypeError)])
def test_other_fields(make: Callable[[Any], Mechanism], bad: Any, error: type[Exception]) -> None:
    with pytest.raises(error):
        make(bad)


@with_secret
@pytest.mark.parametrize("password", ["hunter2\0", "hunter2\ud800", b"hunter2\0"])
def test_an_exception_does_not_tell_the_secret(make: Make, password: Any) -> None:
    with pytest.raises(ValueError, match=r"must not|half of") as caught:
        make("ann", password)
    shown = "".join(traceback.format_exception(None, caught.value, caught.value.__traceback__))
    error: BaseException | None = caught.value
    while error is not None:
        assert "hunter2" not in repr(vars(error)) + repr(error.args) + repr(getattr(error, "object", ""))
        error = error.__cause__ or error.__context__
    assert "hunter2" not in shown.replace('make("ann", password)', "")


def test_bytes_that_scram_can_not_read_as_text() -> None:
    with pytest.raises(ValueError, match="must be UTF-8") as caught:
        ScramSHA1("ann", b"hunter2\xff")
    assert caught.value.__cause__ is caught.value.__context__ is None


@with_secret
def test_repr_shows_no_secret(make: Make) -> None:
    mechanism = make("ann", "hunter2")
    for challenge in CHALLENGES:
        assert "hunter2" not in repr(mechanism)
        assert "ann" in repr(mechanism)
        assert str(mechanism) == repr(mechanism)
        try:
            mechanism(challenge)
        except ProtocolError:
            break


@with_secret
def test_secrets_hold_the_secret_and_what_is_sent_of_it(make: Make) -> None:
    mechanism = make("ann", "hunter2")
    secrets = mechanism.secrets()
    assert b"hunter2" in secrets
    assert all(secrets)
    for challenge in CHALLENGES:
        try:
            response = mechanism(challenge)
        except ProtocolError:
            break
        if b"hunter2" in response:
            assert base64.b64encode(response) in secrets


@with_secret
def test_empty_text_is_sent(make: Make) -> None:
    """The server decides what it means. SCRAM can't send an empty name."""
    make("ann", "")
    if make not in (ScramSHA1, ScramSHA256):
        make("", "")


@with_secret
def test_another_exchange(make: Make) -> None:
    mechanism = make("ann", "secret")
    first = mechanism(b"")
    mechanism.start()
    again = mechanism(b"")
    if make not in (ScramSHA1, ScramSHA256):
        assert again == first
    assert mechanism.refusal == b""


@pytest.mark.parametrize(
    ("mechanism", "turns"),
    [
        (Plain("ann", "x"), 1),
        (Login("ann", "x"), 2),
        (CramMD5("ann", "x"), 1),
        (XOAuth2("ann", "x"), 2),
        (OAuthBearer("ann", "x"), 2),
        (External(), 1),
        (Anonymous(), 1),
    ],
    ids=repr,
)
def test_there_is_an_end_to_each(mechanism: Mechanism, turns: int) -> None:
    for _ in range(turns):
        mechanism(b"more")
    assert mechanism.complete
    for _ in range(3):
        with pytest.raises(ProtocolError, match="sent a challenge after the last response"):
            mechanism(b"more")


def test_a_mechanism_of_ones_own() -> None:
    class Token(Mechanism):
        name = "X-TOKEN"

        def dialogue(self, challenge: bytes) -> Dialogue:
            second = yield b"1 " + challenge
            self.complete = True
            yield b"2 " + second

    class Silent(Mechanism):
        def dialogue(self, challenge: bytes) -> Dialogue:
            yield from ()

    token = Token()
    assert (token(b"a"), token(b"b")) == (b"1 a", b"2 b")
    assert token.secrets() == ()
    with pytest.raises(ProtocolError):
        Silent()(b"")
    with pytest.raises(NotImplementedError):
        Mechanism()(b"")
