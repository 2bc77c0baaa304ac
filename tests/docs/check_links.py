"""Check every inner link of the manual's HTML: ``python tests/docs/check_links.py FOLDER``.

A link is broken if its file is not in FOLDER, or if no element of that file has the anchor as its ``id``. Links to
other hosts are left alone. Prints each broken link as ``page.html: target``, and then ends with exit code 1.

Sphinx itself checks what a page's source refers to, but not what ends up in HTML: a page that another one overwrites,
or an anchor that a docstring spells out, goes unnoticed there.
"""

from __future__ import annotations

import sys
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

# Elements with an address -> the attribute that has it.
_ADDRESS = {"a": "href", "link": "href", "img": "src", "script": "src"}


class Page(HTMLParser):
    """The anchors and the addresses of one page."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.anchors: set[str] = set()
        self.addresses: list[str] = []
        self.feed(html)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        for name, value in attrs:
            if value is None:
                continue
            if name == "id" or (tag == "a" and name == "name"):
                self.anchors.add(value)
            if _ADDRESS.get(tag) == name:
                self.addresses.append(value)


def broken_links(folder: Path) -> list[str]:
    """The broken links of all pages below the folder: ``['guide.html: missing.html', 'api.html: fetch.html#gone']``."""
    pages = {path.resolve(): Page(path.read_text(encoding="utf-8")) for path in sorted(folder.rglob("*.html"))}
    broken = []
    for path, page in pages.items():
        for address in page.addresses:
            target = urlsplit(address)
            if target.scheme or target.netloc:
                continue
            file = (path.parent / unquote(target.path)).resolve() if target.path else path
            anchor = unquote(target.fragment)
            if not file.is_file() or (anchor and (file not in pages or anchor not in pages[file].anchors)):
                broken.append(f"{path.relative_to(folder.resolve()).as_posix()}: {address}")
    return broken


def main(folder: Path) -> int:
    pages = len(list(folder.rglob("*.html")))
    if not pages:
        print(f"{folder} has no HTML page: build the manual first")
        return 1
    broken = broken_links(folder)
    for line in broken:
        print(line)
    print(f"{pages} pages, {len(broken)} broken links")
    return 1 if broken else 0


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
