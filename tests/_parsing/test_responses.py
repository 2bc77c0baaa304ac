"""Untagged and tagged responses, before their data is parsed."""

from __future__ import annotations

from imapclient._parsing.records import Record
from imapclient._parsing.responses import Tagged, Untagged


def test_untagged_line() -> None:
    response = Untagged(b"FETCH", 12, b"* 12 FETCH (UID 5)", 11, None)
    assert (response.name, response.number) == (b"FETCH", 12)
    assert response.text == b"(UID 5)"
    assert response.data == [b"(UID 5)"]
    assert response.size == 18


def test_untagged_with_literals() -> None:
    records: list[Record] = [(b"* 1 FETCH (BODY[] {3}", b"abc"), (b" X {1}", b"d"), b" UID 5)"]
    response = Untagged(b"FETCH", 1, b"* 1 FETCH (BODY[] {3}", 10, records)
    assert response.text == b"(BODY[] {3}"
    assert response.data == [(b"(BODY[] {3}", b"abc"), (b" X {1}", b"d"), b" UID 5)"]
    assert response.size == 21 + 3 + 6 + 1 + 7
    assert response.records is records


def test_untagged_with_a_single_record() -> None:
    records: list[Record] = [b"* LIST () NIL a", b"b"]
    assert Untagged(b"LIST", None, b"* LIST () NIL a", 7, records).data == [b"() NIL a", b"b"]


def test_untagged_without_data() -> None:
    response = Untagged(b"SEARCH", None, b"* SEARCH", 8, None)
    assert response.text == b""
    assert response.data == [b""]
    assert response.number is None


def test_tagged() -> None:
    reply = Tagged("OK", b"[READ-WRITE] Done", (b"READ-WRITE", ()), b"Done")
    assert reply.status == "OK"
    assert reply.code == (b"READ-WRITE", ())
    assert reply.human == b"Done"
