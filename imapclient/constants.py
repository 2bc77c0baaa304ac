"""Names that IMAP gives to system flags and to folders with a special use.

They are bytes, as flags are wherever this package returns or takes them.
"""

from __future__ import annotations

from typing import Final

# System flags, RFC 9051 section 2.3.2. \Recent is RFC 3501's; IMAP4rev2 no longer has it.
SEEN: Final = b"\\Seen"
DELETED: Final = b"\\Deleted"
ANSWERED: Final = b"\\Answered"
FLAGGED: Final = b"\\Flagged"
DRAFT: Final = b"\\Draft"
RECENT: Final = b"\\Recent"

# Special-use attributes of folders in a LIST response, RFC 6154 section 2.
ALL: Final = b"\\All"
ARCHIVE: Final = b"\\Archive"
DRAFTS: Final = b"\\Drafts"
JUNK: Final = b"\\Junk"
SENT: Final = b"\\Sent"
TRASH: Final = b"\\Trash"

# Names that such folders have where the server tells no special use, most usual first. Compared in lower case, without
# a leading "INBOX" and delimiter.
SPECIAL_USE_NAMES: Final = {
    ARCHIVE: (
        "Archive",
        "Archives",
        "Archiv",
        "Archivio",
        "Archief",
        "Archivo",
        "Arquivo",
        "Архив",
    ),
    DRAFTS: (
        "Drafts",
        "[Gmail]/Drafts",
        "[Google Mail]/Drafts",
        "Draft",
        "Entwürfe",
        "Brouillons",
        "Borradores",
        "Bozze",
        "Concepten",
        "Rascunhos",
        "Черновики",
        "草稿",
        "下書き",
    ),
    JUNK: (
        "Junk",
        "Spam",
        "[Gmail]/Spam",
        "[Google Mail]/Spam",
        "Junk E-mail",
        "Junk Email",
        "Bulk Mail",
        "Junk-E-Mail",
        "Courrier indésirable",
        "Correo no deseado",
        "Posta indesiderata",
        "Ongewenste e-mail",
        "Спам",
        "垃圾邮件",
    ),
    SENT: (
        "Sent",
        "Sent Items",
        "Sent Messages",
        "Sent Mail",
        "[Gmail]/Sent Mail",
        "[Google Mail]/Sent Mail",
        "Gesendet",
        "Gesendete Elemente",
        "Gesendete Objekte",
        "Éléments envoyés",
        "Messages envoyés",
        "Enviados",
        "Elementos enviados",
        "Inviata",
        "Posta inviata",
        "Verzonden",
        "Verzonden items",
        "Отправленные",
        "已发送",
        "送信済み",
    ),
    TRASH: (
        "Trash",
        "Deleted Items",
        "Deleted Messages",
        "Deleted",
        "[Gmail]/Trash",
        "[Gmail]/Bin",
        "[Google Mail]/Trash",
        "Papierkorb",
        "Gelöschte Elemente",
        "Gelöschte Objekte",
        "Corbeille",
        "Éléments supprimés",
        "Papelera",
        "Elementos eliminados",
        "Cestino",
        "Posta eliminata",
        "Prullenbak",
        "Verwijderde items",
        "Lixeira",
        "Корзина",
        "已删除",
        "ゴミ箱",
    ),
}
