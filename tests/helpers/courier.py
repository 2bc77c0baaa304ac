"""A private Courier IMAP 5 on free loopback ports, in a folder of its own that goes with it.

It needs root and Linux: the paths of its configuration are compiled in, so that it runs in a mount namespace of its
own, in which they are this folder's. It needs no systemd. .ci/install-servers unpacks the package courier-imap, which
can't be installed beside Dovecot's.
"""

from __future__ import annotations

import functools
import os
import pwd
import shutil
import subprocess
import sys
from pathlib import Path

from tests.run import UNPACKED

from .mail_server import MailServer, ServerUnavailable, fill_in, find_program

_REMEDY = "install Courier IMAP 5, on Debian by .ci/install-servers"
_ROOT = f"{UNPACKED}/courier-imap"
_LIBEXEC = "/usr/lib/courier/courier"
_AUTHLIB = "/usr/lib/courier/courier-authlib"
# Kinds of password by the option of userdbpw that makes them.
_PASSWORDS = {
    "systempw": "-md5",
    "hmac-md5pw": "-hmac-md5",
    "hmac-sha1pw": "-hmac-sha1",
    "hmac-sha256pw": "-hmac-sha256",
}


class Courier(MailServer):
    """A server that runs within its ``with`` block.

    A new user has INBOX (empty) only, and all folders are below ``INBOX.``. QUOTA and ACL are on. A client certificate
    logs in by EXTERNAL as its common name.
    """

    name = "courier"

    @classmethod
    def unavailable(cls) -> str | None:
        return _unavailable()

    def _command(self, folder: Path) -> list[str]:
        return [_program("unshare"), "--mount", "/bin/sh", f"{folder}/start"]

    def _let_in(self, name: str, password: str) -> None:
        folder = self.folder
        _add_users(folder, {name: password})
        # In the namespace of the server, where the database is at the place that is compiled in.
        subprocess.run(
            [_program("nsenter"), f"--mount=/proc/{(folder / 'pid').read_text().strip()}/ns/mnt", "makeuserdb"],
            check=True,
        )

    def _write_files(self, folder: Path) -> None:
        for name in ("etc/shared", "run/authdaemon", "mail"):
            (folder / name).mkdir(parents=True)
        self._write_certificates(folder)
        for name, added in (("imapd", _IMAPD), ("imapd-ssl", _IMAPD_SSL)):
            distributed = _first_of(f"{_ROOT}/etc/courier/{name}", f"/etc/courier/{name}").read_text()
            (folder / "etc" / name).write_text(distributed + added)
        (folder / "etc/imapd.pem").write_text((folder / "server.key").read_text() + (folder / "server.pem").read_text())
        shutil.copy(folder / "ca.pem", folder / "etc")
        (folder / "etc/authdaemonrc").write_text(_AUTHDAEMONRC)
        (folder / "etc/userdb").touch(0o600)
        _add_users(folder, self.users)
        (folder / "start").write_text(
            fill_in(
                _START,
                folder=folder,
                port=self.port,
                tls_port=self.tls_port,
                authdaemond=_program("authdaemond"),
                couriertcpd=_program("couriertcpd"),
                imaplogin=_program("imaplogin"),
                imapd=_imapd(),
            )
        )


@functools.cache
def _unavailable() -> str | None:
    if sys.platform != "linux":
        return "the tests can start Courier on Linux only"
    try:
        for name in ("couriertcpd", "couriertls", "imaplogin", "authdaemond", "userdbpw", "makeuserdb"):
            _program(name)
        _imapd()
    except ServerUnavailable as error:
        return str(error)
    if os.geteuid() != 0:
        return "Courier can be started by root only: the paths of its configuration are compiled in"
    if subprocess.run([_program("unshare"), "--mount", "true"], stderr=subprocess.DEVNULL, check=False).returncode != 0:
        return "Courier needs a mount namespace of its own, which this system doesn't allow"
    return None


def _program(name: str) -> str:
    return find_program(name, _REMEDY, _AUTHLIB, _LIBEXEC, f"{_ROOT}{_LIBEXEC}")


def _imapd() -> Path:
    return _first_of(f"{_ROOT}/usr/bin/imapd", "/usr/lib/courier/imapd", "/usr/bin/imapd")


def _first_of(*paths: str) -> Path:
    for path in paths:
        if Path(path).exists():
            return Path(path)
    raise ServerUnavailable(f"there is no {paths[0]}: {_REMEDY}")


def _add_users(folder: Path, users: dict[str, str]) -> None:
    mail = pwd.getpwnam("mail")
    with (folder / "etc/userdb").open("a", encoding="utf-8") as file:
        for name, password in users.items():
            home = folder / "mail" / name
            for path in (home, *(home / "Maildir" / part for part in ("", "cur", "new", "tmp"))):
                path.mkdir()
                shutil.chown(path, mail.pw_uid, mail.pw_gid)
            # 50 MB and 5000 messages.
            quota = home / "Maildir/maildirsize"
            quota.write_text("50000000S,5000C\n")
            shutil.chown(quota, mail.pw_uid, mail.pw_gid)
            fields = {
                "uid": mail.pw_uid,
                "gid": mail.pw_gid,
                "home": home,
                "mail": home / "Maildir",
                "quota": "50000000S,5000C",
                **_encrypted(password),
            }
            file.write(f"{name}\t{'|'.join(f'{key}={value}' for key, value in fields.items())}\n")


@functools.cache
def _encrypted(password: str) -> dict[str, str]:
    return {
        field: subprocess.run(
            [_program("userdbpw"), option], input=f"{password}\n", check=True, stdout=subprocess.PIPE, encoding="utf-8"
        ).stdout.strip()
        for field, option in _PASSWORDS.items()
    }


# A connection in IDLE looks for news every second.
_IMAPD = """
IMAP_CAPABILITY="IMAP4rev1 UIDPLUS CHILDREN NAMESPACE THREAD=ORDEREDSUBJECT THREAD=REFERENCES SORT QUOTA\
 AUTH=CRAM-MD5 AUTH=CRAM-SHA1 AUTH=CRAM-SHA256 AUTH=PLAIN AUTH=LOGIN IDLE"
IMAP_CAPABILITY_TLS="$IMAP_CAPABILITY"
IMAP_IDLE_TIMEOUT=1
IMAP_EMPTYTRASH=""
IMAP_ULIMITD=1000000
"""

_IMAPD_SSL = """
TLS_CERTFILE=/etc/courier/imapd.pem
TLS_TRUSTCERTS=/etc/courier/ca.pem
TLS_VERIFYPEER=PEER
TLS_EXTERNAL=CN
TLS_CACHEFILE=
TLS_DHPARAMS=
"""

_AUTHDAEMONRC = """
authmodulelist="authuserdb"
authmodulelistorig="authuserdb"
daemons=2
authdaemonvar=/run/courier/authdaemon
DEBUG_LOGIN=0
DEFAULTOPTIONS=""
LOGGEROPTS=""
"""

# In a mount namespace of its own. The server with TLS takes the place of the shell.
_START = """
set -e
mount --make-rprivate /
mkdir -p /run/courier
mount --bind @folder@/run /run/courier
mount --bind @folder@/etc /etc/courier
makeuserdb
chmod 755 @folder@/run/authdaemon
umask 022
set -a
. /etc/courier/authdaemonrc
@authdaemond@ &
. /etc/courier/imapd
. /etc/courier/imapd-ssl
IMAP_STARTTLS=YES prefix=/usr exec_prefix=/usr sbindir=/usr/sbin bindir=/usr/bin
while [ ! -S /run/courier/authdaemon/socket ]; do sleep 0.02; done
echo $$ >@folder@/pid
serve() {
    exec @couriertcpd@ -address=127.0.0.1 -maxprocs=200 -maxperip=200 -nodnslookup -noidentlookup "$@" \
        @imaplogin@ @imapd@ Maildir
}
serve @port@ &
unset IMAP_STARTTLS
IMAP_TLS=1
serve @tls_port@ "$COURIERTLS" -server -tcpd -user=courier
"""
