from __future__ import annotations

import re

import pytest

from imapclient import constants

FLAGS = ("SEEN", "DELETED", "ANSWERED", "FLAGGED", "DRAFT", "RECENT")
SPECIAL_USES = ("ALL", "ARCHIVE", "DRAFTS", "JUNK", "SENT", "TRASH")


@pytest.mark.parametrize("name", FLAGS + SPECIAL_USES)
def test_value_is_the_name_after_a_backslash(name: str) -> None:
    value = getattr(constants, name)
    assert isinstance(value, bytes)
    assert re.fullmatch(rb"\\[A-Z][a-z]+", value)
    assert value[1:].upper() == name.encode("ascii")


def test_draft_flag_and_drafts_folder_differ() -> None:
    assert constants.DRAFT == b"\\Draft"
    assert constants.DRAFTS == b"\\Drafts"


def test_a_usual_name_stands_for_one_use() -> None:
    names = [name.lower() for names in constants.SPECIAL_USE_NAMES.values() for name in names]
    assert len(names) == len(set(names))


def test_no_other_names() -> None:
    assert {name for name in vars(constants) if name.isupper()} == {*FLAGS, *SPECIAL_USES, "SPECIAL_USE_NAMES"}
