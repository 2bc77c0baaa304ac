"""A private Cyrus IMAP 3.6 on free loopback ports, in a folder of its own that goes with it.

Started by root it drops to the user of Debian's package, else every process runs as the caller. It needs no systemd.
.ci/install-servers unpacks the package cyrus-imapd, which can't be installed beside Dovecot's.
"""

from __future__ import annotations

import functools
import grp
import os
import pwd
import shutil
import subprocess
from pathlib import Path

from tests.run import UNPACKED

from .mail_server import MailServer, ServerUnavailable, fill_in, find_program

#: The administrator, who may create and set quotas for others.
ADMIN = "cyrus"

_BIN = "/usr/lib/cyrus/bin"
_REMEDY = "install Cyrus IMAP 3.6, on Debian by .ci/install-servers"


class Cyrus(MailServer):
    """A server that runs within its ``with`` block.

    A new user's folders are INBOX (empty), Archive, Drafts, Junk, Sent and Trash with their SPECIAL-USE. QUOTA, ACL,
    METADATA and COMPRESS are on. A client certificate logs in by EXTERNAL as its common name.
    """

    name = "cyrus"

    def __init__(self, *, alternative_namespace: bool = True) -> None:
        """With `alternative_namespace` off, all folders are below ``INBOX.``, by dots."""
        super().__init__()
        self.users[ADMIN] = "secret"
        self._alternative_namespace = alternative_namespace

    @classmethod
    def unavailable(cls) -> str | None:
        return _unavailable()

    def _command(self, folder: Path) -> list[str]:
        master = _program("master")
        return [master, "-C", f"{folder}/imapd.conf", "-M", f"{folder}/cyrus.conf", "-p", f"{folder}/master.pid"]

    def _let_in(self, name: str, password: str) -> None:
        _set_password(self.folder, name, password)

    def _write_files(self, folder: Path) -> None:
        root = os.geteuid() == 0
        for name in ("conf/db", "conf/socket", "spool", "lock", "proc"):
            (folder / name).mkdir(parents=True)
        self._write_certificates(folder)
        account = pwd.getpwnam("cyrus") if root else pwd.getpwuid(os.geteuid())
        (folder / "imapd.conf").write_text(
            fill_in(
                _IMAPD_CONF,
                folder=folder,
                user=account.pw_name,
                group=grp.getgrgid(account.pw_gid).gr_name if root else grp.getgrgid(os.getegid()).gr_name,
                alternative="yes" if self._alternative_namespace else "no",
            )
        )
        (folder / "cyrus.conf").write_text(
            fill_in(
                _CYRUS_CONF,
                folder=folder,
                port=self.port,
                tls_port=self.tls_port,
                ctl_cyrusdb=_program("ctl_cyrusdb"),
                imapd=_program("imapd"),
                idled=_program("idled"),
            )
        )
        for user, password in self.users.items():
            _set_password(folder, user, password)
        if root:
            for path in [folder, *folder.rglob("*")]:
                shutil.chown(path, account.pw_uid, account.pw_gid)


@functools.cache
def _unavailable() -> str | None:
    try:
        for name in ("master", "imapd", "idled", "ctl_cyrusdb", "saslpasswd2"):
            _program(name)
    except ServerUnavailable as error:
        return str(error)
    if os.geteuid() == 0:
        try:
            pwd.getpwnam("cyrus")
        except KeyError:
            return "Cyrus, started by root, needs the system's user cyrus"
    return None


def _program(name: str) -> str:
    return find_program(name, _REMEDY, _BIN, f"{UNPACKED}/cyrus-imapd{_BIN}")


def _set_password(folder: Path, name: str, password: str) -> None:
    # -u is the realm, servername in imapd.conf.
    command = [_program("saslpasswd2"), "-p", "-c", "-f", f"{folder}/sasldb2", "-u", "localhost", name]
    subprocess.run(command, input=password.encode("utf-8"), check=True, stdout=subprocess.DEVNULL)


_IMAPD_CONF = """
configdirectory: @folder@/conf
proc_path: @folder@/proc
mboxname_lockpath: @folder@/lock
defaultpartition: default
partition-default: @folder@/spool
cyrus_user: @user@
cyrus_group: @group@
servername: localhost
admins: cyrus
altnamespace: @alternative@
unixhierarchysep: @alternative@
virtdomains: off
syslog_prefix: imapclient-tests

allowplaintext: yes
allowanonymouslogin: no
sasl_pwcheck_method: auxprop
sasl_auxprop_plugin: sasldb
sasl_sasldb_path: @folder@/sasldb2
sasl_mech_list: PLAIN LOGIN CRAM-MD5 DIGEST-MD5 SCRAM-SHA-1 SCRAM-SHA-256 EXTERNAL
sasl_auto_transition: no
failedloginpause: 0

tls_server_cert: @folder@/server.pem
tls_server_key: @folder@/server.key
tls_server_ca_file: @folder@/ca.pem
tls_client_ca_file: @folder@/ca.pem
tls_session_timeout: 0

expunge_mode: immediate
delete_mode: immediate
skiplist_unsafe: 1
autocreate_post: yes
autocreate_quota: 102400
autocreate_quota_messages: 5000
autocreate_inbox_folders: Drafts|Sent|Trash|Junk|Archive
autocreate_subscribe_folders: Drafts|Sent|Trash|Junk|Archive
xlist-drafts: Drafts
xlist-sent: Sent
xlist-trash: Trash
xlist-junk: Junk
xlist-archive: Archive
specialusealways: yes
annotation_allow_undefined: yes
allowusermoves: yes
imapidlepoll: 1s
idlesocket: @folder@/conf/socket/idle
lmtpsocket: @folder@/conf/socket/lmtp
notifysocket: @folder@/conf/socket/notify
"""

# -U: how many connections one process serves after each other.
_CYRUS_CONF = """
START {
  recover cmd="@ctl_cyrusdb@ -C @folder@/imapd.conf -r"
}
SERVICES {
  imap  cmd="@imapd@ -C @folder@/imapd.conf -U 200" listen="127.0.0.1:@port@" proto="tcp4" prefork=1 maxchild=100
  imaps cmd="@imapd@ -C @folder@/imapd.conf -s -U 200" listen="127.0.0.1:@tls_port@" proto="tcp4" prefork=0 maxchild=100
}
DAEMON {
  idled cmd="@idled@ -C @folder@/imapd.conf"
}
EVENTS {
  checkpoint cmd="@ctl_cyrusdb@ -C @folder@/imapd.conf -c" period=60
}
"""
