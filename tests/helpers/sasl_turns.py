"""The exchange of each SASL mechanism, for the tests of AUTHENTICATE."""

from __future__ import annotations

import base64
import traceback
from typing import Any, Callable

from imapclient import IMAPClient
from imapclient.sasl import Anonymous, CramMD5, External, Login, Mechanism, OAuthBearer, Plain, ScramSHA1, XOAuth2

Call = Callable[[IMAPClient], Any]


def b64(text: str | bytes) -> str:
    """Return the text in base64, for a script."""
    return base64.b64encode(text.encode() if isinstance(text, str) else text).decode("ascii")


PLAIN = b64("\0ann\0secret")
XOAUTH2 = b64("user=ann\1auth=Bearer t0ken\1\1")
OAUTHBEARER = b64("n,a=ann,\1host=imap.example.org\1port=993\1auth=Bearer t0ken\1\1")


def oauthbearer(client: IMAPClient) -> Any:
    """Return the call for OAUTHBEARER. It sets host and port, because a script cannot contain the peer's port."""
    client.host, client.port = "imap.example.org", 993
    return client.oauthbearer_login("ann", "t0ken")


Make = Callable[[], Mechanism]

#: RFC 5802, 5: the messages of user "user" with password "pencil", and the client's nonce.
SCRAM_NONCE = "fyko+d2lbbFgONRv9qkxdawL"
SCRAM_FIRST = "n,,n=user,r=fyko+d2lbbFgONRv9qkxdawL"
SCRAM_CHALLENGE = "r=fyko+d2lbbFgONRv9qkxdawL3rfcNHYJY1ZVvWVs7j,s=QSXCR+Q6sek8bf92,i=4096"
SCRAM_PROOF = "c=biws,r=fyko+d2lbbFgONRv9qkxdawL3rfcNHYJY1ZVvWVs7j,p=v0X8v3Bz2T0CJGbJQyF0X+HI4Ts="
SCRAM_SIGNATURE = "v=rmF9pqV8S7suAoZWja4dJRkFsKQ="

#: Each mechanism, with its responses and challenges in order, without base64.
TURNS: list[tuple[Make, list[str | bytes]]] = [
    (lambda: Plain("ann", "secret"), ["\0ann\0secret"]),
    (lambda: Plain("ann", "pä", "bob"), ["bob\0ann\0pä"]),
    (lambda: XOAuth2("ann", "t0ken"), ["user=ann\1auth=Bearer t0ken\1\1"]),
    (lambda: XOAuth2("ann", "t", "acme", name="XOAUTH"), ["user=ann\1auth=Bearer t\1vendor=acme\1\1"]),
    (lambda: OAuthBearer("ann", "t", host="h", port=1), ["n,a=ann,\1host=h\1port=1\1auth=Bearer t\1\1"]),
    (External, [""]),
    (lambda: External("ann"), ["ann"]),
    (Anonymous, [""]),
    (lambda: Anonymous("me"), ["me"]),
    (lambda: ScramSHA1("user", "pencil"), [SCRAM_FIRST, SCRAM_CHALLENGE, SCRAM_PROOF, SCRAM_SIGNATURE, ""]),
    # The server begins.
    (lambda: Login("ann", "secret"), ["User Name\0", "ann", "Password\0", "secret"]),
    (lambda: Login("", ""), ["Username:", "", "Password:", ""]),
    (
        lambda: CramMD5("tim", "tanstaaftanstaaf"),
        ["<1896.697170952@postoffice.reston.mci.net>", "tim b913a602c7eda7a495b4e6e7334d3890"],
    ),
]


def script_of(mechanism: Mechanism, turns: list[str | bytes], *, initial: bool, tagged: str = "OK Logged in") -> str:
    """Return the exchange as a script. If ``initial``, the command contains the first response."""
    words = [b64(turn) for turn in turns]
    command = f"C: A1 AUTHENTICATE {mechanism.name}"
    lines = [command]
    if mechanism.client_first:
        first = words.pop(0)
        lines = [f"{command} {first or '='}"] if initial else [command, "S: + ", f"C: {first}"]
    for index, word in enumerate(words):
        lines.append(f"{'C' if index % 2 else 'S'}: {'' if index % 2 else '+ '}{word}")
    return "\n".join([*lines, f"S: A1 {tagged}"])


def assert_not_told(error: BaseException, *secrets: str) -> None:
    """Check that no secret is in the exception, or in any that led to it."""
    chain: BaseException | None = error
    while chain is not None:
        carried = repr((chain, chain.args, vars(chain), getattr(chain, "object", None)))
        shown = "".join(traceback.format_exception_only(type(chain), chain))
        for secret in secrets:
            assert secret not in carried + shown
        chain = chain.__cause__ or chain.__context__
