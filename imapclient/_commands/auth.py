"""Logging in."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING, Callable

from .._arguments.command import Argument
from .._arguments.strings import atom, string
from ..exceptions import CommandError, LoginError, NotOfferedError, ProtocolAbortError, retyped
from ..util import Text, to_wire
from .base.command_base import CommandBase

if TYPE_CHECKING:
    from .._auth.dialogue import AuthExchange, Respond
    from .._auth.mechanisms import Mechanism
    from .._connection.exchange import Command

# With either of these, the initial response may be sent in the command (RFC 4959; RFC 9051, appendix E).
_SASL_IR = frozenset((b"SASL-IR", b"IMAP4REV2"))


class AuthMixin(CommandBase):
    """LOGIN and AUTHENTICATE (RFC 9051, 6.2.2 and 6.2.3)."""

    def login(self, username: Text, password: Text) -> bytes:
        """Log in with a user name and password (RFC 9051, 6.2.3). Returns the server's text: ``b'Logged in'``.

        Text is sent as UTF-8, so any name and password work if the server takes UTF-8.

        Raises LoginError if the server refuses. Raises `~imapclient.exceptions.NotOfferedError`, which is a LoginError,
        if the server advertises LOGINDISABLED, which mostly means that it requires TLS first. Raises ValueError if an
        argument contains NUL. Neither the name nor the password is sent after the last two. The connection is usable
        after all of these.
        """
        # Imported here, because not every program needs it.
        from .._auth.mechanisms import checked_text
        from .._connection.exchange import Command

        arguments = [
            string(checked_text(username, "the user name"), "the user name"),
            string(checked_text(password, "the password"), "the password"),
        ]
        if b"LOGINDISABLED" in self._capabilities_before_login():
            raise NotOfferedError(
                "the server does not allow LOGIN on this connection (LOGINDISABLED), so nothing was sent: "
                "use TLS, or authenticate() with a mechanism that the server offers",
                command="LOGIN",
            )
        return self._log_in(Command(b"LOGIN", arguments, secrets=(to_wire(password),)))

    def plain_login(self, identity: Text, password: Text, authorization_identity: Text | None = None) -> bytes:
        """Log in by SASL PLAIN (RFC 4616). Returns the server's text: ``b'Logged in'``.

        ``authorization_identity`` is the user to act as, if that is not ``identity``. Raises what `authenticate`
        raises.
        """
        from .._auth.mechanisms import Plain

        return self.authenticate(Plain(identity, password, authorization_identity))

    def oauth2_login(
        self, user: Text, access_token: Text, mech: str = "XOAUTH2", vendor: Text | None = None
    ) -> list[bytes]:
        """Log in by SASL XOAUTH2, with an access token of OAuth 2. Returns the server's text: ``[b'Logged in']``.

        ``mech`` is the name of the mechanism on the wire. ``vendor`` is a field that some services require. If the
        server refuses, the attribute ``challenge`` of the LoginError contains the reason that it sent:
        ``{'status': '400', 'schemes': 'Bearer', 'scope': 'https://mail.google.com/'}``. It is bytes if the reason is
        not a JSON object, and None if the server sent no reason. Raises what `authenticate` raises.
        """
        from .._auth.mechanisms import XOAuth2

        return [self.authenticate(XOAuth2(user, access_token, vendor, name=mech))]

    def oauthbearer_login(self, identity: Text, access_token: Text) -> list[bytes]:
        """Log in by SASL OAUTHBEARER (RFC 7628), with an access token of OAuth 2. Returns ``[b'Logged in']``.

        ``identity`` may be empty if the token contains it. If the server refuses, the attribute ``challenge`` of the
        LoginError contains the reason that it sent: ``{'status': 'invalid_token', 'scope': 'mail'}``. It is bytes if
        the reason is not a JSON object, and None if the server sent no reason. Raises what `authenticate` raises.
        """
        from .._auth.mechanisms import OAuthBearer

        host, port = (None, None) if self.stream else (self.host, self.port)
        return [self.authenticate(OAuthBearer(identity, access_token, host=host, port=port))]

    def authenticate(self, mechanism: Mechanism) -> bytes:
        """Log in by a mechanism of `imapclient.sasl` (RFC 9051, 6.2.2). Returns the server's text: ``b'Logged in'``.

        If the client sends the first message of the mechanism and the server has SASL-IR (RFC 4959), that message is
        sent with the command.

        Raises LoginError if the server refuses. Raises `~imapclient.exceptions.NotOfferedError`, which is a LoginError
        and a CapabilityError, if the server advertises other mechanisms but not this one. AUTHENTICATE is not sent
        then. If the server advertises no mechanism at all, AUTHENTICATE is sent unless the server has LOGINDISABLED.
        Raises ProtocolError if a challenge can't be decoded; the exchange is cancelled then. Raises TypeError if
        ``mechanism`` is not a `~imapclient.sasl.Mechanism`. The connection is usable after these.

        Raises ProtocolAbortError if the server answers OK before the exchange is complete. For example, with SCRAM the
        server must first prove that it knows the password. The connection is closed then.
        """
        from .._auth.mechanisms import Mechanism

        if not isinstance(mechanism, Mechanism):
            raise TypeError("authenticate() takes a mechanism of imapclient.sasl; use sasl_login() for a callable")
        name = _mechanism_name(mechanism.name)
        mechanism.start()
        initial = mechanism(b"") if mechanism.client_first else None
        capabilities = self._capabilities_before_login()
        offered = [capability for capability in capabilities if capability.startswith(b"AUTH=")]
        if b"AUTH=" + name not in offered and (offered or b"LOGINDISABLED" in capabilities):
            words = b" ".join(offered) or b"no mechanism"
            raise NotOfferedError(
                f"the server does not offer {name.decode('ascii')} on this connection, but {words.decode('ascii')}",
                command="AUTHENTICATE",
            )
        return self._authenticate(name, mechanism, initial, capabilities)

    def sasl_login(
        self,
        mech_name: str,
        mech_callable: Callable[[bytes], Text | None],
        *,
        initial_response: Text | None = None,
    ) -> bytes:
        """Log in by any SASL mechanism (RFC 9051, 6.2.2). Returns the server's text: ``b'Logged in'``.

        ``mech_callable`` is called with each challenge, decoded from base64. If the client sends the first message of
        the mechanism, the first challenge is ``b''``. The callable returns the response as bytes, or as a str, which is
        sent as UTF-8. If it returns None, the exchange is cancelled, and the server refuses the login. It is not
        checked whether the server advertises the mechanism.

        ``initial_response`` replaces the first call. It is sent with the command if the server has SASL-IR (RFC 4959).
        Otherwise it answers the first challenge.

        Raises LoginError if the server refuses, and ProtocolError if a challenge is not base64. An exception of the
        callable cancels the exchange and is raised as it is. Raises TypeError or ValueError if an argument can't be
        used; nothing is sent then. The connection is usable after these.

        Raises ProtocolAbortError if the server answers OK to a cancelled exchange, or before it has received the
        initial response. The connection is closed then.
        """
        from .._auth.mechanisms import Mechanism, checked_text

        name = _mechanism_name(mech_name)
        if not callable(mech_callable):
            raise TypeError(f"the mechanism must be a callable, not {type(mech_callable).__name__}")
        initial = None if initial_response is None else checked_text(initial_response, "the initial response")
        if isinstance(mech_callable, Mechanism):
            if initial is not None:
                raise ValueError("a mechanism makes its own initial response: pass it to authenticate()")
            mech_callable.start()
        capabilities = () if initial is None else self._capabilities_before_login()
        return self._authenticate(name, mech_callable, initial, capabilities)

    def _capabilities_before_login(self) -> tuple[bytes, ...]:
        """The capabilities that matter for a login.

        Empty after the login, because Cyrus still lists LOGINDISABLED then. Also empty if the server refuses
        CAPABILITY, or if the connection has failed. The login itself then raises the error.
        """
        if self._imap.state == "NONAUTH" and self._imap.is_usable:
            with contextlib.suppress(CommandError):
                return self.capabilities()
        return ()

    def _authenticate(
        self, name: bytes, respond: Respond, initial: bytes | None, capabilities: tuple[bytes, ...]
    ) -> bytes:
        from .._auth.dialogue import AuthExchange
        from .._auth.mechanisms import Mechanism
        from .._connection.exchange import Command

        exchange = AuthExchange(respond, initial, self._imap.secrets.add)
        arguments: list[Argument] = [name]
        argument = None if _SASL_IR.isdisjoint(capabilities) else exchange.initial_argument()
        if argument is not None:
            arguments.append(argument)
        # Any response of a callable may be secret. An empty secret hides the exchange in the log, and no other text.
        secrets = respond.secrets() if isinstance(respond, Mechanism) else (b"",)
        return self._log_in(Command(b"AUTHENTICATE", arguments, respond=exchange.respond, secrets=secrets), exchange)

    def _log_in(self, command: Command, exchange: AuthExchange | None = None) -> bytes:
        """Send a command that logs in. The old capabilities are forgotten; its answer may contain the new ones."""
        try:
            reply = self._imap.log_in(command)
            if exchange is not None and not exchange.may_succeed:
                self._imap.shutdown()
                raise ProtocolAbortError(
                    "the server answered OK to a login that is not complete, or that was cancelled"
                ) from exchange.error
            self._compress_if_offered()
            return reply.text
        except CommandError as error:
            refusal = error
        finally:
            self._deliver_unsolicited()
        # Raised outside of the except block. Otherwise the first error would be its __context__, with all that the
        # server sent.
        if exchange is None:
            raise retyped(refusal, LoginError)
        if exchange.error is not None:
            raise self._imap.secrets.hide(exchange.error)
        raise self._imap.secrets.hide(_login_error(refusal, exchange.mechanism))


def _mechanism_name(name: Text) -> bytes:
    return atom(name, "name of a mechanism").upper()


def _login_error(error: CommandError, mechanism: Mechanism | None) -> LoginError:
    """A refusal as a LoginError, with the reason that the server sent in the exchange."""
    if mechanism is None or not mechanism.refusal:
        return retyped(error, LoginError)
    result = retyped(error, LoginError, f"{error} ({mechanism.failure_shown})")
    result.challenge = mechanism.failure
    return result
