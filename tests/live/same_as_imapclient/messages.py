"""The messages in the mailboxes that both libraries see."""

from __future__ import annotations

from .place import Message


def _crlf(text: str, charset: str = "utf-8") -> bytes:
    return text.lstrip("\n").replace("\n", "\r\n").encode(charset)


PLAIN = Message(
    _crlf("""
Date: Mon, 05 Feb 2024 09:30:15 +0100
From: Ann Example <ann@example.org>
To: Bob <bob@example.com>, carol@example.net
Subject: Budget for next year
Message-ID: <budget-1@example.org>
Content-Type: text/plain; charset=us-ascii

The numbers are in the sheet.
See you on Tuesday.
"""),
    "\\Seen \\Flagged",
    "05-Feb-2024 08:31:00 +0000",
)

REPLY = Message(
    _crlf("""
Date: Tue, 06 Feb 2024 18:05:59 -0700
From: "Bob, the builder" <bob@example.com>
Sender: robot@example.com
Reply-To: list@example.com
To: Ann Example <ann@example.org>
Cc: =?utf-8?q?Zo=C3=AB?= <zoe@example.org>
Bcc: hidden@example.org
Subject: Re: Budget for next year
In-Reply-To: <budget-1@example.org>
References: <budget-1@example.org>
Message-ID: <budget-2@example.com>
MIME-Version: 1.0
Content-Type: text/plain; charset="utf-8"; format=flowed
Content-Transfer-Encoding: quoted-printable
Content-Language: en, de
Content-MD5: Q2hlY2sgSW50ZWdyaXR5IQ==

The caf=C3=A9 is closed on Tuesday.
"""),
    "\\Answered Work $Forwarded",
    "07-Feb-2024 02:06:10 +0100",
)

ATTACHMENTS = Message(
    _crlf("""
Date: 7 Feb 2024 12:00 GMT
From: <zoe@example.org>
To: undisclosed@example.org
Subject: =?UTF-8?B?w4Ruc3TDtsOfaWc=?=
 =?UTF-8?Q?_und_gefaltet?=
Message-ID: <parts@example.org>
MIME-Version: 1.0
Content-Type: multipart/mixed; boundary="=_outer"

This text is for nobody.
--=_outer
Content-Type: multipart/alternative; boundary=inner

--inner
Content-Type: text/plain; charset=utf-8
Content-Transfer-Encoding: 8bit

Grüße
--inner
Content-Type: text/html; charset=utf-8
Content-Transfer-Encoding: base64

PHA+SGFsbG88L3A+
--inner--
--=_outer
Content-Type: application/pdf; name="report \\"final\\".pdf"
Content-Disposition: attachment; filename="report \\"final\\".pdf"; size=12
Content-Transfer-Encoding: base64
Content-ID: <pdf@example.org>
Content-Description: The report
Content-Location: https://example.org/report.pdf

JVBERi0xLjQKJQ==
--=_outer
Content-Type: message/rfc822
Content-Disposition: inline

From: Inner <inner@example.org>
To: Ann Example <ann@example.org>
Subject: Inside
Date: Thu, 01 Feb 2024 01:02:03 +0000
Message-ID: <inside@example.org>

Inner text
of two lines
--=_outer--
"""),
    "\\Draft",
    "29-Feb-2024 23:59:59 -0330",
)

RAW_8BIT = Message(
    _crlf(
        """
Date: Fri, 09 Feb 2024 10:00:00 +0000
From: Jörg <joerg@example.org>
To: "unquoted \\\\ backslash" <b@example.org>
Subject: Größe \\ "quoted" (comment)
Message-ID: <raw@example.org>

Größe im Text
""",
        "latin-1",
    ),
    "\\Deleted",
    " 9-Feb-2024 10:00:00 +0000",
)

BARE = Message(
    _crlf("""
X-Nothing: here

123
"""),
)

GROUPS = Message(
    _crlf("""
Date: not a date
From: root
To: Friends: ann@example.org, "B. Ob" <bob@example.com>;, Nobody:;
Cc: undisclosed-recipients:;
Subject:
Message-ID: <groups@example.org>

Hello.
"""),
    "",
    "10-Feb-2024 10:00:00 +0000",
)
"""Addresses in groups. pymap cannot parse them, and closes the connection."""

EVERYWHERE = (PLAIN, REPLY, ATTACHMENTS, RAW_8BIT, BARE)
