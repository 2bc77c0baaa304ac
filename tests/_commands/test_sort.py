"""SORT (RFC 5256)."""

from __future__ import annotations

from typing import Any, Callable

import pytest

from imapclient.exceptions import BadCharsetError, CapabilityError, CommandError, InvalidCriteriaError, ProtocolError
from imapclient.response_types import SearchIds
from imapclient.sequence_set import UidSet
from tests.helpers.dialogue import Case, dialogue, in_every_way

_SORT = "IMAP4rev1 SORT"

CASES = [
    Case(
        "sort",
        lambda client: client.sort("REVERSE DATE"),
        "C: A1 UID SORT (REVERSE DATE) UTF-8 ALL",
        "S: * SORT 9 1 5",
        SearchIds([9, 1, 5]),
        needs="SORT",
        bad=InvalidCriteriaError,
    ),
    Case(
        "sort-sequence-numbers",
        lambda client: client.sort(["SUBJECT"], "UNSEEN", "US-ASCII"),
        "C: A1 SORT (SUBJECT) US-ASCII UNSEEN",
        "S: * SORT 2",
        SearchIds([2]),
        needs="SORT",
        bad=InvalidCriteriaError,
        use_uid=False,
    ),
    Case(
        "sort-literal",
        lambda client: client.sort("SIZE", ["SUBJECT", "café"]),
        "C: A1 UID SORT (SIZE) UTF-8 SUBJECT {5}\nS: + go\nC: café",
        "S: * SORT",
        SearchIds([]),
        needs="SORT",
        bad=InvalidCriteriaError,
    ),
]


@pytest.mark.parametrize(("case", "way"), in_every_way(CASES))
def test_dialogue(case: Case, way: Callable[[Case], None]) -> None:
    way(case)


@pytest.mark.parametrize(
    ("sort_criteria", "sent"),
    [
        ("ARRIVAL", "(ARRIVAL)"),
        (b"ARRIVAL", "(ARRIVAL)"),
        ("subject", "(SUBJECT)"),
        ("REVERSE SIZE", "(REVERSE SIZE)"),
        ("reverse  size ", "(REVERSE SIZE)"),
        (["REVERSE SIZE", b"subject"], "(REVERSE SIZE SUBJECT)"),
        (("REVERSE", "SIZE"), "(REVERSE SIZE)"),
        (iter(["CC", "TO"]), "(CC TO)"),
        (["DISPLAYFROM", "X-SCORE"], "(DISPLAYFROM X-SCORE)"),
    ],
)
def test_sort_criteria(sort_criteria: Any, sent: str) -> None:
    script = f"C: A1 UID SORT {sent} UTF-8 ALL\nS: * SORT 4\nS: A1 OK Done"
    with dialogue(script, capabilities=_SORT) as client:
        assert client.sort(sort_criteria) == [4]


@pytest.mark.parametrize(
    "sort_criteria",
    [
        "(SUBJECT)",
        "SUBJECT) UTF-8 ALL",
        "x\r\nA999 NOOP",
        "x\nA999",
        "x\0",
        "{5}",
        "x {5}",
        '"SUBJECT"',
        "é",
        "DATE\tSIZE",
        ["DATE", "SIZE\r\n"],
        [b"\xff"],
    ],
)
def test_what_is_no_sort_criterion_raises_before_anything_is_sent(sort_criteria: Any) -> None:
    with dialogue(capabilities=_SORT) as client, pytest.raises(ValueError, match="not a valid sort criterion"):
        client.sort(sort_criteria)


@pytest.mark.parametrize("sort_criteria", ["", b"", " ", [], ["", b""]])
def test_no_sort_criteria_raise_before_anything_is_sent(sort_criteria: Any) -> None:
    with dialogue(capabilities=_SORT) as client, pytest.raises(InvalidCriteriaError, match="no sort criteria"):
        client.sort(sort_criteria)


@pytest.mark.parametrize("sort_criteria", [5, [5], None, [None], [["DATE"]]])
def test_sort_criteria_of_another_type_raise_before_anything_is_sent(sort_criteria: Any) -> None:
    with dialogue(capabilities=_SORT) as client, pytest.raises(TypeError):
        client.sort(sort_criteria)


@pytest.mark.parametrize(
    ("criteria", "charset", "sent"),
    [
        (["UNSEEN", "SUBJECT", "a b"], "UTF-8", 'UTF-8 UNSEEN SUBJECT "a b"'),
        (["UID", UidSet("5:7")], "UTF-8", "UTF-8 UID 5:7"),
        (b"SEEN", "us-ascii", "us-ascii SEEN"),
        (["SUBJECT", "é"], "ISO-8859-1", "ISO-8859-1 SUBJECT {1}\nS: + go\nCx: \\xe9"),
        (
            ["OR", ["SUBJECT", "é"], ["TO", "è"]],
            "UTF-8",
            "UTF-8 OR (SUBJECT {2}\nS: + go\nC: é) (TO {2}\nS: + go\nC: è)",
        ),
        ('SUBJECT "é"', "UTF-8", "UTF-8 SUBJECT {2}\nS: + go\nC: é"),
        # There is no SORT without a charset.
        ("ALL", None, "UTF-8 ALL"),
        (["SUBJECT", "é"], None, "UTF-8 SUBJECT {2}\nS: + go\nC: é"),
    ],
)
def test_what_is_sent(criteria: Any, charset: Any, sent: str) -> None:
    script = f"C: A1 UID SORT (DATE) {sent}\nS: * SORT 4\nS: A1 OK Done"
    with dialogue(script, capabilities=_SORT) as client:
        assert client.sort("DATE", criteria, charset) == [4]


def test_the_charset_is_named_on_a_connection_in_utf8_too() -> None:
    """The grammar has no SORT without (RFC 5256, 5)."""
    script = """
        C: A1 ENABLE UTF8=ACCEPT
        S: * ENABLED UTF8=ACCEPT
        S: A1 OK Done
        C: A2 UID SORT (DATE) UTF-8 SUBJECT {2}
        S: + go
        C: é
        S: * SORT 4
        S: A2 OK Done
    """
    with dialogue(script, capabilities=f"{_SORT} ENABLE UTF8=ACCEPT") as client:
        client.enable("UTF8=ACCEPT")
        assert client.sort("DATE", ["SUBJECT", "é"]) == [4]


@pytest.mark.parametrize(
    ("responses", "ids", "modseq"),
    [
        ("", [], None),
        ("S: * SORT", [], None),
        ("S: * SORT 3 1 2 ", [3, 1, 2], None),
        ("S: * SORT 5 3 4 (MODSEQ 17)", [5, 3, 4], 17),
        ("S: * SORT 9 2\nS: * SORT 5\nS: * SORT 1", [9, 2, 5, 1], None),
    ],
)
def test_forms_of_the_answer(responses: str, ids: list[int], modseq: int | None) -> None:
    script = f"C: A1 UID SORT (DATE) UTF-8 MODSEQ 5\n{responses}\nS: A1 OK Done"
    with dialogue(script, capabilities=_SORT) as client:
        found = client.sort("DATE", ["MODSEQ", 5])
        assert type(found) is SearchIds
        assert found == ids
        assert found.modseq == modseq


def test_an_answer_that_can_not_be_read_leaves_the_connection_usable() -> None:
    script = "C: A1 UID SORT (DATE) UTF-8 ALL\nS: * SORT 1 x\nS: A1 OK Done\nC: A2 NOOP\nS: A2 OK Done"
    with dialogue(script, capabilities=_SORT) as client:
        with pytest.raises(ProtocolError):
            client.sort("DATE")
        assert client.noop() == (b"Done", [])


def test_bad_says_the_criteria() -> None:
    script = "C: A1 UID SORT (FOO) UTF-8 BAR\nS: A1 BAD Unknown FOO"
    with dialogue(script, capabilities=_SORT) as client:
        with pytest.raises(InvalidCriteriaError, match="Unknown FOO") as caught:
            client.sort("FOO", ["BAR"])
        assert "(b'FOO',), ['BAR']" in str(caught.value)


@pytest.mark.parametrize("capabilities", ["IMAP4rev1", "IMAP4rev2", "IMAP4rev1 SORT=DISPLAY ESORT"])
def test_without_the_capability(capabilities: str) -> None:
    with dialogue(capabilities=capabilities) as client, pytest.raises(CapabilityError, match="SORT"):
        client.sort("DATE")


def test_a_charset_that_the_server_asks_for() -> None:
    script = """
        C: A1 UID SORT (DATE) UTF-8 SUBJECT {2}
        S: + go
        C: Ж
        S: A1 NO [BADCHARSET (US-ASCII KOI8-R)] Not that charset
        C: A2 UID SORT (DATE) KOI8-R SUBJECT {1}
        S: + go
        Cx: \\xf6
        S: * SORT 5 4
        S: A2 OK Done
    """
    with dialogue(script, capabilities=_SORT) as client:
        assert client.sort("DATE", ["SUBJECT", "Ж"]) == [5, 4]


@pytest.mark.parametrize("code", ["[BADCHARSET]", "[BADCHARSET (US-ASCII)]"])
def test_a_charset_that_the_server_does_not_know(code: str) -> None:
    script = f"C: A1 UID SORT (DATE) UTF-8 SUBJECT {{2}}\nS: A1 NO {code} No\nC: A2 NOOP\nS: A2 OK Done"
    with dialogue(script, capabilities=_SORT) as client:
        with pytest.raises(BadCharsetError) as caught:
            client.sort("DATE", ["SUBJECT", "é"])
        assert isinstance(caught.value, CommandError)
        assert client.noop() == (b"Done", [])


@pytest.mark.parametrize("criteria", [["UID", range(1, 20_000, 2)], ["NOT", ["UID", range(1, 20_000, 2)]]])
def test_ids_too_many_for_one_command_raise_before_anything_is_sent(criteria: Any) -> None:
    """The order of the whole can't be told from that of its parts."""
    with dialogue(capabilities=_SORT) as client, pytest.raises(ValueError, match=r"too (many|long) for one command"):
        client.sort("DATE", criteria)


@pytest.mark.parametrize("criteria", ["", [], ["SEEN", []]])
def test_empty_criteria_raise_before_anything_is_sent(criteria: Any) -> None:
    with dialogue(capabilities=_SORT) as client, pytest.raises(InvalidCriteriaError, match="no criteria"):
        client.sort("DATE", criteria)
