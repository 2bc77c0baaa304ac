"""A private Courier IMAP 5 on free loopback ports, in a temporary folder.

It needs root and Linux. The paths of its configuration are compiled in. So it runs in its own mount namespace, in which
these paths lead into the temporary folder. It does not need systemd. .ci/install-servers unpacks the package
courier-imap, which cannot be installed beside Dovecot's.
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

from .mail_server import MailServer, ServerUnavailable

_REMEDY = "install Courier IMAP 5, on Debian by .ci/install-servers"
_ROOT = f"{UNPACKED}/courier-imap"
_LIBEXEC = "/usr/lib/courier/courier"
_AUTHLIB = "/usr/lib/courier/courier-authlib"
# Kinds of password, and the options with which userdbpw makes them.
_PASSWORDS = {
    "systempw": "-md5",
    "hmac-md5pw": "-hmac-md5",
    "hmac-sha1pw": "-hmac-sha1",
    "hmac-sha256pw": "-hmac-sha256",
}


class Courier(MailServer):
    """A server that runs within its ``with`` block.

    A new user has INBOX only, which is empty. All folders are below ``INBOX.``. QUOTA and ACL are on. With a client
    certificate, EXTERNAL logs in as the certificate's common name.
    """

    name = "courier"
    _PROGRAMS = ("couriertcpd", "couriertls", "imaplogin", "authdaemond", "userdbpw", "makeuserdb")
    _PROGRAM_FOLDERS = (_AUTHLIB, _LIBEXEC, f"{_ROOT}{_LIBEXEC}")
    _REMEDY = _REMEDY

    @classmethod
    def unavailable(cls) -> str | None:
        return "the tests can start Courier on Linux only" if sys.platform != "linux" else super().unavailable()

    @classmethod
    def _problem(cls) -> str | None:
        _imapd()
        if os.geteuid() != 0:
            return "only root can start Courier: the paths of its configuration are compiled in"
        unshare = [cls._program("unshare"), "--mount", "true"]
        if subprocess.run(unshare, stderr=subprocess.DEVNULL, check=False).returncode != 0:
            return "Courier needs its own mount namespace, which this system does not allow"
        return None

    def _command(self, folder: Path) -> list[str]:
        return [self._program("unshare"), "--mount", "/bin/sh", f"{folder}/start"]

    def _add_user(self, name: str, password: str) -> None:
        folder = self.folder
        _add_users(folder, {name: password})
        # It runs in the namespace of the server, in which the database is at the path that is compiled in.
        subprocess.run(
            [self._program("nsenter"), f"--mount=/proc/{(folder / 'pid').read_text().strip()}/ns/mnt", "makeuserdb"],
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
        programs = {name: self._program(name) for name in ("authdaemond", "couriertcpd", "imaplogin")}
        self._write(folder / "start", _START, imapd=_imapd(), **programs)


def _imapd() -> Path:
    return _first_of(f"{_ROOT}/usr/bin/imapd", "/usr/lib/courier/imapd", "/usr/bin/imapd")


def _first_of(*paths: str) -> Path:
    for path in paths:
        if Path(path).exists():
            return Path(path)
    raise ServerUnavailable(f"the file {paths[0]} is missing: {_REMEDY}")


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
            [Courier._program("userdbpw"), option],
            input=f"{password}\n",
            check=True,
            stdout=subprocess.PIPE,
            encoding="utf-8",
        ).stdout.strip()
        for field, option in _PASSWORDS.items()
    }


# IMAP_IDLE_TIMEOUT: a connection in IDLE looks for changes every second.
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

# It runs in its own mount namespace. The server with TLS replaces the shell.
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
