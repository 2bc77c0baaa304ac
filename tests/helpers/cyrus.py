"""A private Cyrus IMAP 3.6 on free loopback ports, in a temporary folder.

If root starts it, it runs as the user of Debian's package; otherwise each process runs as the caller. It does not need
systemd. .ci/install-servers unpacks the package cyrus-imapd, which cannot be installed beside Dovecot's.
"""

from __future__ import annotations

import grp
import os
import pwd
import shutil
import subprocess
from pathlib import Path

from tests.run import UNPACKED

from .mail_server import MailServer

#: The administrator, who may create folders and set quotas for other users.
ADMIN = "cyrus"

_BIN = "/usr/lib/cyrus/bin"


class Cyrus(MailServer):
    """A server that runs within its ``with`` block.

    A new user's folders are INBOX (empty), Archive, Drafts, Junk, Sent and Trash with their SPECIAL-USE. QUOTA, ACL,
    METADATA and COMPRESS are on. With a client certificate, EXTERNAL logs in as the certificate's common name.
    """

    name = "cyrus"
    _PROGRAMS = ("master", "imapd", "idled", "ctl_cyrusdb", "saslpasswd2")
    _PROGRAM_FOLDERS = (_BIN, f"{UNPACKED}/cyrus-imapd{_BIN}")
    _REMEDY = "install Cyrus IMAP 3.6, on Debian by .ci/install-servers"
    _SYSTEM_USERS = ("cyrus",)

    def __init__(self, *, alternative_namespace: bool = True) -> None:
        """If `alternative_namespace` is off, all folders are below ``INBOX.``, and the delimiter is a dot."""
        super().__init__()
        self.users[ADMIN] = "secret"
        self._alternative_namespace = alternative_namespace

    def _command(self, folder: Path) -> list[str]:
        master = self._program("master")
        return [master, "-C", f"{folder}/imapd.conf", "-M", f"{folder}/cyrus.conf", "-p", f"{folder}/master.pid"]

    def _add_user(self, name: str, password: str) -> None:
        # -u is the realm, servername in imapd.conf.
        command = [self._program("saslpasswd2"), "-p", "-c", "-f", f"{self.folder}/sasldb2", "-u", "localhost", name]
        subprocess.run(command, input=password.encode("utf-8"), check=True, stdout=subprocess.DEVNULL)

    def _write_files(self, folder: Path) -> None:
        root = os.geteuid() == 0
        for name in ("conf/db", "conf/socket", "spool", "lock", "proc"):
            (folder / name).mkdir(parents=True)
        self._write_certificates(folder)
        account = pwd.getpwnam("cyrus") if root else pwd.getpwuid(os.geteuid())
        self._write(
            folder / "imapd.conf",
            _IMAPD_CONF,
            user=account.pw_name,
            group=grp.getgrgid(account.pw_gid if root else os.getegid()).gr_name,
            alternative="yes" if self._alternative_namespace else "no",
        )
        programs = {name: self._program(name) for name in ("ctl_cyrusdb", "imapd", "idled")}
        self._write(folder / "cyrus.conf", _CYRUS_CONF, **programs)
        for user, password in self.users.items():
            self._add_user(user, password)
        if root:
            for path in [folder, *folder.rglob("*")]:
                shutil.chown(path, account.pw_uid, account.pw_gid)


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

# -U: the number of connections that one process serves, one after the other.
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
