r"""The mailbox that `EmbeddedServer(sample=True)` gives its users: 20 messages in 8 folders.

The messages are made so that a reader sees what the library gives, and a test finds one of each
kind: plain text, alternatives, HTML, attachments, a forwarded message, encoded and 8-bit headers, a
thread of replies, a large one; flags, keywords, dates of several years and zones. The bytes are the
same on each call, with CRLF line ends. No address header has a group (RFC 5322, section 3.4): pymap
0.36 closes the connection on the ENVELOPE of such a message.

    >>> message = sample_messages()[0]
    >>> message.folder, message.flags
    ('INBOX', ('\\Seen',))
"""

from __future__ import annotations

import base64
import hashlib
from datetime import datetime, timedelta, timezone
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["SAMPLE_FOLDERS", "SampleMessage", "sample_messages"]

#: The folders of the sample mailbox, a parent before its children. Trash is empty.
SAMPLE_FOLDERS: tuple[str, ...] = (
    "INBOX",
    "Archive",
    "Archive/2019",
    "Entwürfe",
    "Lists & News",
    "Sent",
    "Trash",
    "日本語",
)


class SampleMessage(NamedTuple):
    """One message: the folder it lies in, its flags, its INTERNALDATE and its bytes."""

    folder: str
    flags: tuple[str, ...]
    date: datetime
    content: bytes


def sample_messages() -> tuple[SampleMessage, ...]:
    """The messages, those of one folder in the order of their arrival."""
    return (
        *_inbox(),
        *_archive(),
        *_drafts(),
        *_lists(),
        *_sent(),
        *_japanese(),
    )


def _inbox() -> Sequence[SampleMessage]:
    return (
        _message(
            "INBOX",
            ("\\Seen",),
            _when(2021, 3, 1, 8, 30, zone=1),
            """\
            From: Ben Okafor <ben@example.org>
            To: Ann Example <ann@example.com>
            Subject: Welcome
            Date: Mon, 1 Mar 2021 08:29:55 +0100
            Message-ID: <welcome-1@example.org>
            MIME-Version: 1.0
            Content-Type: text/plain; charset=us-ascii

            Hello Ann,

            this is a plain message of a few lines.

            Ben
            """,
        ),
        _message(
            "INBOX",
            ("\\Seen", "\\Answered"),
            _when(2022, 11, 7, 17, 5, zone=-5),
            """\
            From: "O'Hara, Cleo" <cleo@example.net>
            To: Ann Example <ann@example.com>, dev@example.com
            Cc: Ben Okafor <ben@example.org>
            Subject: Release plan
            Date: Mon, 07 Nov 2022 17:04:10 -0500
            Message-ID: <plan-1@example.net>
            MIME-Version: 1.0
            Content-Type: text/plain; charset=us-ascii

            Shall we release on Friday?
            """,
        ),
        _message(
            "INBOX",
            ("\\Seen",),
            _when(2022, 11, 8, 9, 15, zone=5.5),
            """\
            From: Dev Anand <dev@example.com>
            To: "O'Hara, Cleo" <cleo@example.net>
            Cc: Ann Example <ann@example.com>, Ben Okafor <ben@example.org>
            Subject: Re: Release plan
            Date: Tue, 08 Nov 2022 09:14:21 +0530
            Message-ID: <plan-3@example.com>
            In-Reply-To: <plan-1@example.net>
            References: <plan-1@example.net>
            MIME-Version: 1.0
            Content-Type: text/plain; charset=us-ascii

            > Shall we release on Friday?

            Monday would be better.
            """,
        ),
        _message(
            "INBOX",
            ("\\Flagged", "$Important"),
            _when(2022, 11, 8, 10, 40, zone=-5),
            """\
            From: "O'Hara, Cleo" <cleo@example.net>
            To: Dev Anand <dev@example.com>
            Cc: Ann Example <ann@example.com>, Ben Okafor <ben@example.org>
            Subject: Re: Release plan
            Date: Tue, 08 Nov 2022 10:39:00 -0500
            Message-ID: <plan-4@example.net>
            In-Reply-To: <plan-3@example.com>
            References: <plan-1@example.net> <plan-3@example.com>
            MIME-Version: 1.0
            Content-Type: text/plain; charset=us-ascii

            > Monday would be better.

            Monday it is. Ann, please prepare the notes.
            """,
        ),
        _message(
            "INBOX",
            (),
            _when(2023, 5, 20, 12, 0),
            """\
            From: =?utf-8?q?J=C3=BCrgen_M=C3=BCller?= <juergen@example.de>
            To: Ann Example <ann@example.com>
            Subject: =?utf-8?q?Gr=C3=BC=C3=9Fe_aus_K=C3=B6ln?=
             =?utf-8?q?_=E2=80=93_Fotos_folgen?=
            Date: Sat, 20 May 2023 14:00:03 +0200
            Message-ID: <koeln@example.de>
            MIME-Version: 1.0
            Content-Type: text/plain; charset=utf-8
            Content-Transfer-Encoding: quoted-printable

            Liebe Ann,

            sch=C3=B6ne Gr=C3=BC=C3=9Fe vom Rhein. Eine lange Zeile dieser Nachricht ist =
            weich umbrochen.

            J=C3=BCrgen
            """,
        ),
        _message(
            "INBOX",
            ("\\Seen",),
            _when(2023, 8, 2, 6, 45, zone=-8),
            """\
            From: Shop <orders@shop.example>
            Sender: mailer@shop.example
            Reply-To: help@shop.example
            To: ann@example.com
            Subject: Your order 4711
            Date: Wed, 02 Aug 2023 06:44:59 -0800
            Message-ID: <order-4711@shop.example>
            MIME-Version: 1.0
            Content-Type: multipart/alternative; boundary="alt-4711"

            --alt-4711
            Content-Type: text/plain; charset=utf-8

            Your order 4711 is on its way.

            --alt-4711
            Content-Type: text/html; charset=utf-8
            Content-Transfer-Encoding: quoted-printable

            <html><body><p>Your order <b>4711</b> is on its way. Total: 12,50=C2=A0=E2=82=AC</p>=
            </body></html>

            --alt-4711--
            """,
        ),
        _message(
            "INBOX",
            (),
            _when(2023, 9, 14, 21, 3, zone=-3.5),
            """\
            From: Newsletter <news@example.org>
            To: ann@example.com
            Subject: HTML only
            Date: Thu, 14 Sep 2023 21:02:30 -0330
            Message-ID: <html-only@example.org>
            MIME-Version: 1.0
            Content-Type: text/html; charset="us-ascii"

            <!DOCTYPE html>
            <html><head><title>News</title></head>
            <body><h1>News</h1><p>There is no plain part here.</p></body></html>
            """,
        ),
        _message(
            "INBOX",
            ("\\Flagged",),
            _when(2023, 12, 1, 11, 11, zone=1),
            """\
            From: Ben Okafor <ben@example.org>
            To: Ann Example <ann@example.com>
            Subject: Report with attachment
            Date: Fri, 01 Dec 2023 11:10:58 +0100
            Message-ID: <report@example.org>
            MIME-Version: 1.0
            Content-Type: multipart/mixed; boundary="mixed-1"

            This is a multi-part message in MIME format.
            --mixed-1
            Content-Type: text/plain; charset=us-ascii

            The report is attached.

            --mixed-1
            Content-Type: application/octet-stream; name="report.bin"
            Content-Disposition: attachment; filename="report.bin"
            Content-Transfer-Encoding: base64

            """,
            _base64(_noise(20_000)),
            """\

            --mixed-1--
            """,
        ),
        _message(
            "INBOX",
            (),
            _when(2023, 12, 24, 18, 0, zone=1),
            """\
            From: =?iso-8859-1?q?Ren=E9_Dupont?= <rene@example.fr>
            To: Ann Example <ann@example.com>
            Subject: =?iso-8859-1?b?UmVjZXR0ZXMgZOl0YWlsbOllcw==?=
            Date: Sun, 24 Dec 2023 17:59:59 +0100
            Message-ID: <recettes@example.fr>
            MIME-Version: 1.0
            Content-Type: multipart/mixed; boundary="==rfc2231=="

            --==rfc2231==
            Content-Type: text/plain; charset=iso-8859-1
            Content-Transfer-Encoding: quoted-printable

            Voil=E0 les recettes.

            --==rfc2231==
            Content-Type: application/pdf
            Content-Disposition: attachment;
             filename*0*=utf-8''Cr%C3%AApes%20et;
             filename*1*=%20g%C3%A2teaux%20de;
             filename*2=" Noel.pdf"
            Content-Transfer-Encoding: base64

            """,
            _base64(b"%PDF-1.4\n" + _noise(3_000) + b"\n%%EOF\n"),
            """\

            --==rfc2231==--
            """,
        ),
        _message(
            "INBOX",
            ("\\Seen", "$Forwarded"),
            _when(2024, 2, 29, 23, 59, 59),
            """\
            From: Ben Okafor <ben@example.org>
            To: Ann Example <ann@example.com>
            Subject: Fwd: Lunch
            Date: Thu, 29 Feb 2024 23:59:58 +0000
            Message-ID: <fwd-lunch@example.org>
            MIME-Version: 1.0
            Content-Type: multipart/mixed; boundary="outer"

            --outer
            Content-Type: text/plain; charset=us-ascii

            See below.

            --outer
            Content-Type: message/rfc822
            Content-Disposition: inline

            From: Eva Lind <eva@example.se>
            To: Ben Okafor <ben@example.org>
            Subject: Lunch
            Date: Thu, 29 Feb 2024 10:00:00 +0100
            Message-ID: <lunch@example.se>
            MIME-Version: 1.0
            Content-Type: multipart/alternative; boundary="inner"

            --inner
            Content-Type: text/plain; charset=us-ascii

            Lunch at noon?

            --inner
            Content-Type: text/html; charset=us-ascii

            <p>Lunch at <i>noon</i>?</p>

            --inner--

            --outer--
            """,
        ),
        _message(
            "INBOX",
            (),
            _when(2024, 4, 1, 7, 0, zone=2),
            """\
            From: Camera <camera@home.example>
            To: ann@example.com
            Subject: Inline picture
            Date: Mon, 01 Apr 2024 07:00:00 +0200
            Message-ID: <picture@home.example>
            MIME-Version: 1.0
            Content-Type: multipart/related; boundary="rel"; type="text/html"

            --rel
            Content-Type: text/html; charset=us-ascii

            <p>The garden: <img src="cid:dot@home.example"></p>

            --rel
            Content-Type: image/gif; name="dot.gif"
            Content-ID: <dot@home.example>
            Content-Disposition: inline; filename="dot.gif"
            Content-Transfer-Encoding: base64

            R0lGODlhAQABAIAAAAAAAP///yH5BAEAAAAALAAAAAABAAEAAAIBRAA7

            --rel--
            """,
        ),
        _message(
            "INBOX",
            (),
            _when(2024, 6, 30, 3, 20, zone=9),
            """\
            From: Backup <backup@example.com>
            To: ann@example.com
            Subject: Large: 1.5 MB of data
            Date: Sun, 30 Jun 2024 03:19:40 +0900
            Message-ID: <large@example.com>
            MIME-Version: 1.0
            Content-Type: multipart/mixed; boundary="large"

            --large
            Content-Type: text/plain; charset=us-ascii

            The data is attached.

            --large
            Content-Type: application/zip
            Content-Disposition: attachment; filename="backup.zip"; size=1100000
            Content-Transfer-Encoding: base64

            """,
            _base64(_noise(1_100_000)),
            """\

            --large--
            """,
        ),
        _message(
            "INBOX",
            ("\\Deleted", "\\Seen"),
            _when(2024, 7, 1, 0, 0),
            """\
            From: spam@example.biz
            To: ann@example.com
            Subject:
            Message-ID: <no-subject@example.biz>

            Neither a subject nor a date nor MIME headers; marked as deleted.
            """,
        ),
    )


def _archive() -> Sequence[SampleMessage]:
    return (
        _message(
            "Archive/2019",
            ("\\Seen",),
            _when(2019, 1, 5, 13, 37, zone=1),
            """\
            From: Ann Example <ann@example.com>
            To: Ann Example <ann@example.com>
            Subject: Note to self
            Date: Sat, 05 Jan 2019 13:37:00 +0100
            Message-ID: <note@example.com>

            Renew the passport.
            """,
        ),
        _message(
            "Archive/2019",
            ("\\Seen", "Project-X"),
            _when(2019, 7, 19, 16, 20, zone=1),
            """\
            From: raw8bit@example.net
            To: ann@example.com
            Subject: 8-bit body in Latin-1
            Date: Fri, 19 Jul 2019 16:19:00 +0100
            Message-ID: <latin1@example.net>
            MIME-Version: 1.0
            Content-Type: text/plain; charset=iso-8859-1
            Content-Transfer-Encoding: 8bit

            """,
            b"Na\xefve caf\xe9: bytes above 127, no encoding.\r\n",
        ),
    )


def _drafts() -> Sequence[SampleMessage]:
    return (
        _message(
            "Entwürfe",
            ("\\Draft", "\\Seen"),
            _when(2024, 8, 8, 8, 8, 8, zone=2),
            """\
            From: Ann Example <ann@example.com>
            Subject: =?utf-8?b?RW50d3VyZiDigJMg8J+agA==?=
            MIME-Version: 1.0
            Content-Type: text/plain; charset=utf-8
            Content-Transfer-Encoding: 8bit

            Noch nicht fertig: äöü ß € 🚀
            """,
        ),
    )


def _lists() -> Sequence[SampleMessage]:
    return (
        _message(
            "Lists & News",
            ("\\Seen",),
            _when(2020, 10, 10, 10, 10, zone=-7),
            """\
            From: Fay Wong <fay@example.com>
            To: imap-users@lists.example.org
            Subject: [imap-users] How does IDLE end?
            Date: Sat, 10 Oct 2020 10:09:12 -0700
            Message-ID: <idle-1@example.com>
            List-Id: IMAP users <imap-users.lists.example.org>
            List-Unsubscribe: <mailto:imap-users-leave@lists.example.org>
            MIME-Version: 1.0
            Content-Type: text/plain; charset=us-ascii; format=flowed

            Which line does a client send to end IDLE?
            """,
        ),
        _message(
            "Lists & News",
            (),
            _when(2020, 10, 10, 20, 2, zone=1),
            """\
            From: "Gus \\"The Server\\" Berg" <gus@example.se>
            To: imap-users@lists.example.org
            Subject: Re: [imap-users] How does IDLE end?
            Date: Sat, 10 Oct 2020 20:01:33 +0100
            Message-ID: <idle-2@example.se>
            In-Reply-To: <idle-1@example.com>
            References: <idle-1@example.com>
            List-Id: IMAP users <imap-users.lists.example.org>
            MIME-Version: 1.0
            Content-Type: multipart/signed; micalg="pgp-sha256";
             protocol="application/pgp-signature"; boundary="sig"

            --sig
            Content-Type: text/plain; charset=us-ascii

            DONE

            --sig
            Content-Type: application/pgp-signature; name="signature.asc"
            Content-Description: a signature that verifies nothing

            -----BEGIN PGP SIGNATURE-----

            c2FtcGxl
            -----END PGP SIGNATURE-----

            --sig--
            """,
        ),
    )


def _sent() -> Sequence[SampleMessage]:
    return (
        _message(
            "Sent",
            ("\\Seen",),
            _when(2022, 11, 7, 23, 30, zone=1),
            """\
            From: Ann Example <ann@example.com>
            To: "O'Hara, Cleo" <cleo@example.net>
            Subject: Re: Release plan
            Date: Mon, 07 Nov 2022 23:30:00 +0100
            Message-ID: <plan-2@example.com>
            In-Reply-To: <plan-1@example.net>
            References: <plan-1@example.net>
            MIME-Version: 1.0
            Content-Type: text/plain; charset=us-ascii

            > Shall we release on Friday?

            Fine with me.
            """,
        ),
    )


def _japanese() -> Sequence[SampleMessage]:
    return (
        _message(
            "日本語",
            (),
            _when(2024, 1, 1, 0, 0, 1, zone=9),
            """\
            From: =?iso-2022-jp?b?GyRCOzNFREJATzobKEI=?= <taro@example.jp>
            To: Ann Example <ann@example.com>
            Subject: =?utf-8?b?5piO44GR44G+44GX44Gm44GK44KB44Gn44Go44GG?=
             =?utf-8?b?44GU44GW44GE44G+44GZ?=
            Date: Mon, 01 Jan 2024 00:00:00 +0900
            Message-ID: <newyear@example.jp>
            MIME-Version: 1.0
            Content-Type: text/plain; charset=utf-8
            Content-Transfer-Encoding: base64

            """,
            _base64("今年もよろしくお願いします。\r\n".encode()),
        ),
    )


def _message(folder: str, flags: tuple[str, ...], date: datetime, *parts: str | bytes) -> SampleMessage:
    content = b"".join(part if isinstance(part, bytes) else _lines(part) for part in parts)
    return SampleMessage(folder, flags, date, content)


def _lines(text: str) -> bytes:
    """UTF-8 with CRLF line ends, without the indentation that the text has in this file."""
    return b"".join(line[12:].encode() + b"\r\n" for line in text.split("\n")[:-1])


def _when(
    year: int,
    month: int,
    day: int,
    hour: int,
    minute: int,
    second: int = 0,
    *,
    zone: float = 0,
) -> datetime:
    """A time in a zone that many hours east of UTC."""
    tz = timezone(timedelta(hours=zone))
    return datetime(year, month, day, hour, minute, second, tzinfo=tz)


def _base64(data: bytes) -> bytes:
    """Lines of 76 characters with CRLF, as RFC 2045 wants."""
    return base64.encodebytes(data).replace(b"\n", b"\r\n")


def _noise(size: int) -> bytes:
    """Bytes that look random, don't compress and are the same each time."""
    return hashlib.shake_128(b"imapclient sample mailbox").digest(size)
