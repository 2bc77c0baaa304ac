"""A private Dovecot 2.3 on free loopback ports, in a temporary folder.

It needs neither root nor systemd. If root starts it, it runs as the users of Debian's packages; otherwise each process
runs as the caller.
"""

from __future__ import annotations

import base64
import functools
import getpass
import grp
import hashlib
import hmac
import json
import os
import pwd
import shutil
import socket
import subprocess
import time
from pathlib import Path

from .mail_server import MailServer


class Dovecot(MailServer):
    """A server that runs within its ``with`` block.

        with Dovecot() as server:
            client = IMAPClient(server.host, server.port, ssl=False)

    A new user's folders are INBOX (empty), Archive, Drafts, Junk, Sent and Trash with their SPECIAL-USE. There are
    the namespaces ``Users/``, ``Public/`` and ``Virtual/`` too. QUOTA (``quota_mebibytes`` and ``quota_messages``),
    ACL, METADATA and COMPRESS are on. With a client certificate, EXTERNAL logs in as the certificate's common name.
    XOAUTH2 and OAUTHBEARER accept the tokens of `access_token`.
    """

    name = "dovecot"
    _PROGRAMS = ("dovecot", "doveconf", "doveadm")
    _REMEDY = "install Dovecot 2.3, on Debian: apt-get install dovecot-imapd"
    _SYSTEM_USERS = ("dovecot", "dovenull", "mail")
    #: A second address of the server. There it requires TLS before a password: LOGINDISABLED until STARTTLS.
    strict_host = "127.0.0.2"

    def __init__(self, quota_messages: int = 5000, quota_mebibytes: int = 50) -> None:
        super().__init__()
        self.users["anonymous"] = "anonymous"
        self._quota_messages = quota_messages
        self._quota_mebibytes = quota_mebibytes

    @classmethod
    def _problem(cls) -> str | None:
        version = _output(cls._program("dovecot"), "--version")
        if not version.startswith("2.3."):
            return f"the tests' configuration is for Dovecot 2.3, and this is Dovecot {version}"
        libexec = _output(cls._program("doveconf"), "-d", "-h", "libexec_dir")
        if not os.access(os.path.join(libexec, "imap"), os.X_OK):
            return "Dovecot's IMAP server is missing: install it, on Debian: apt-get install dovecot-imapd"
        return None

    def access_token(self, user: str, *, expired: bool = False, forged: bool = False, padding: int = 0) -> str:
        """Return an access token of OAuth 2, which is valid for an hour.

        The server refuses a token that is `expired` or `forged`. `padding` is a number of characters to add to it.
        """
        now = int(time.time())
        claims = {
            "sub": user,
            "iat": now - 7200,
            "exp": now - 3600 if expired else now + 3600,
            "padding": "x" * padding,
        }
        parts = [_base64url(json.dumps(part).encode()) for part in ({"alg": "HS256", "typ": "JWT"}, claims)]
        key = b"another key" if forged else _TOKEN_KEY
        signature = hmac.new(key, b".".join(parts), hashlib.sha256).digest()
        return b".".join((*parts, _base64url(signature))).decode("ascii")

    def preauth_command(self, user: str) -> str:
        """Return a command that speaks IMAP on standard input and output, and begins with PREAUTH.

        For example: ``"/usr/bin/doveadm -c /tmp/dovecot-1/dovecot.conf exec imap -u alice"``.
        """
        return f"{self._program('doveadm')} -c {self.folder / 'dovecot.conf'} exec imap -u {user}"

    def sessions(self, user: str) -> int:
        """Return the number of connections that are logged in as the user."""
        command = [self._program("doveadm"), "-c", str(self.folder / "dovecot.conf"), "who", "-1", user]
        found = subprocess.run(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, check=True, text=True)
        return len(found.stdout.splitlines()[1:])

    def _add_user(self, name: str, password: str) -> None:
        # Each user has a file, because Dovecot reads a changed file again only after a second.
        line = f"{name}:{{PLAIN}}{password}::::::\n"
        (self.folder / "users" / name).write_text(line, "utf-8")

    def _command(self, folder: Path) -> list[str]:
        return [self._program("dovecot"), "-F", "-c", str(folder / "dovecot.conf")]

    def _write_files(self, folder: Path) -> None:
        root = os.geteuid() == 0
        me = getpass.getuser() if root else pwd.getpwuid(os.geteuid()).pw_name
        my_group = grp.getgrgid(os.getegid()).gr_name
        for name in (
            "base",
            "mail",
            "public",
            "acl",
            "users",
            "virtual/All",
            "virtual/Flagged",
            "keys/default/HS256",
        ):
            (folder / name).mkdir(parents=True)
        (folder / "virtual/All/dovecot-virtual").write_text("INBOX\n  ALL\n")
        (folder / "virtual/Flagged/dovecot-virtual").write_text("INBOX\n  FLAGGED\n")
        # The path is made of the token's claims: azp, alg, kid.
        (folder / "keys/default/HS256/default").write_bytes(base64.b64encode(_TOKEN_KEY))
        self._write(folder / "oauth2.conf", _OAUTH2)
        for user, password in self.users.items():
            self._add_user(user, password)
        self._write_certificates(folder, self.strict_host)
        self._write(
            folder / "dovecot.conf",
            _CONFIGURATION,
            quota_messages=self._quota_messages,
            quota_mebibytes=self._quota_mebibytes,
            addresses=", ".join((self.host, *([self.strict_host] if has_strict_host() else []))),
            internal_user="dovecot" if root else me,
            internal_group="dovecot" if root else my_group,
            login_user="dovenull" if root else me,
            mail_user="mail" if root else me,
            mail_group="mail" if root else my_group,
            without_root="" if root else _WITHOUT_ROOT,
        )
        if root:
            for path in [folder, *folder.rglob("*")]:
                if path.relative_to(folder).parts[:1] in ((), *_MAIL_FOLDERS):
                    shutil.chown(path, "mail", "mail")


@functools.cache
def has_strict_host() -> bool:
    """Whether this machine has the address `Dovecot.strict_host`. On macOS it must be configured first."""
    try:
        socket.create_server((Dovecot.strict_host, 0)).close()
    except OSError:
        return False
    return True


def _base64url(data: bytes) -> bytes:
    return base64.urlsafe_b64encode(data).rstrip(b"=")


def _output(*command: str) -> str:
    result = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, check=False)
    return result.stdout.decode("utf-8", "replace").strip()


_TOKEN_KEY = b"the key that the tests' access tokens are signed with"
_MAIL_FOLDERS = (("acl",), ("mail",), ("public",), ("virtual",))

# Only root can call chroot().
_WITHOUT_ROOT = """
service anvil {
  chroot =
}
service imap-login {
  chroot =
}
service imap-urlauth-login {
  chroot =
}
"""

# Dovecot validates the tokens itself, without a request: JSON Web Tokens (RFC 7519).
_OAUTH2 = """
introspection_mode = local
local_validation_key_dict = fs:posix:prefix=@folder@/keys/
username_attribute = sub
openid_configuration_url = https://auth.example.invalid/openid-configuration
"""

_CONFIGURATION = r"""
# No delay for a login after a wrong password.
service anvil {
  unix_listener anvil-auth-penalty {
    mode = 0
  }
}
base_dir = @folder@/base
state_dir = @folder@/base
log_path = @folder@/log/dovecot
instance_name = imapclient-tests-@port@
protocols = imap
listen = @addresses@
default_internal_user = @internal_user@
default_internal_group = @internal_group@
default_login_user = @login_user@
first_valid_uid = 1
first_valid_gid = 1
mail_uid = @mail_user@
mail_gid = @mail_group@
mail_home = @folder@/mail/%u
mail_location = sdbox:~/sdbox
mail_fsync = never
mailbox_list_index = yes
mailbox_idle_check_interval = 1 secs
mail_attribute_dict = file:%h/attributes
mail_server_comment = Server of the tests
mail_server_admin = mailto:admin@example.invalid
mail_plugins = acl quota virtual notify mailbox_alias zlib

# A test of a wrong password must not wait.
auth_failure_delay = 0
auth_mechanisms = plain login cram-md5 digest-md5 scram-sha-1 scram-sha-256 anonymous external xoauth2 oauthbearer
auth_anonymous_username = anonymous
# User names may hold any character.
auth_username_chars =
auth_ssl_username_from_cert = yes
disable_plaintext_auth = no
local 127.0.0.2 {
  disable_plaintext_auth = yes
}
passdb {
  driver = oauth2
  mechanisms = xoauth2 oauthbearer
  args = @folder@/oauth2.conf
}
passdb {
  driver = static
  mechanisms = external
  args = nopassword=y
}
passdb {
  driver = passwd-file
  mechanisms = plain login cram-md5 digest-md5 scram-sha-1 scram-sha-256 anonymous
  args = scheme=PLAIN username_format=%u @folder@/users/%u
}
userdb {
  driver = passwd-file
  args = username_format=%u @folder@/users/%u
}

ssl = yes
ssl_cert = <@folder@/server.pem
ssl_key = <@folder@/server.key
ssl_ca = <@folder@/ca.pem
ssl_require_crl = no
ssl_verify_client_cert = yes
ssl_cert_username_field = commonName

namespace inbox {
  type = private
  inbox = yes
  prefix =
  separator = /
  mailbox Archive {
    special_use = \Archive
    auto = create
  }
  mailbox Drafts {
    special_use = \Drafts
    auto = subscribe
  }
  mailbox Junk {
    special_use = \Junk
    auto = create
  }
  mailbox Sent {
    special_use = \Sent
    auto = subscribe
  }
  mailbox Trash {
    special_use = \Trash
    auto = subscribe
  }
}
namespace users {
  type = shared
  separator = /
  prefix = Users/%%u/
  location = sdbox:%%h/sdbox:INDEXPVT=~/shared/%%u
  subscriptions = no
  list = children
}
namespace public {
  type = public
  separator = /
  prefix = Public/
  location = sdbox:@folder@/public:INDEXPVT=~/public
  subscriptions = no
  list = yes
}
namespace virtual {
  type = private
  separator = /
  prefix = Virtual/
  location = virtual:@folder@/virtual:INDEX=~/virtual
  subscriptions = no
  hidden = yes
  list = yes
}

protocol imap {
  mail_plugins = $mail_plugins imap_acl imap_quota imap_zlib
  mail_max_userip_connections = 200
  imap_metadata = yes
  imap_idle_notify_interval = 2 mins
  imap_id_send = name * version * support-url *
}
plugin {
  acl = vfile:@folder@/acl
  acl_shared_dict = file:@folder@/acl/shared.db
  quota = count:User quota
  quota_rule = *:storage=@quota_mebibytes@M
  quota_rule2 = *:messages=@quota_messages@
  quota_rule3 = Trash:storage=+10M
  quota_vsizes = yes
}

service imap-login {
  inet_listener imap {
    port = @port@
  }
  inet_listener imaps {
    port = @tls_port@
    ssl = yes
  }
  # One process that stays serves all logins.
  process_min_avail = 1
  service_count = 0
  client_limit = 200
}
service imap {
  process_limit = 200
}
service imap-urlauth-login {
  process_limit = 0
}
# For another user's shared folder, the process requests the place of that user's mail.
service auth {
  unix_listener auth-userdb {
    mode = 0777
  }
}
service stats {
  unix_listener stats-writer {
    mode = 0666
  }
}
@without_root@
"""
