from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from mop.errors import (
    CATALOGUE,
    ModelFault,
    MopError,
    TaskLabelMismatchError,
    UserScriptException,
    ValidationFailedError,
    from_dict,
)

DOCS = Path(__file__).parents[1] / "docs"
# A group of errors has no title of its own; only its members are raised.
CONCRETE = {name: error for name, error in CATALOGUE.items() if "title" in vars(error)}


def sections() -> dict[str, str]:
    """Heading to text of every second-level section of docs/errors.md."""
    text = (DOCS / "errors.md").read_text(encoding="utf-8")
    parts = re.split(r"^## (.+)$", text, flags=re.MULTILINE)[1:]
    return {
        heading: re.split(r"^# ", body, flags=re.MULTILINE)[0] for heading, body in zip(*[iter(parts)] * 2, strict=True)
    }


def test_the_docs_have_exactly_one_section_for_each_error_that_can_be_raised() -> None:
    headings = re.findall(r"^## (.+)$", (DOCS / "errors.md").read_text(encoding="utf-8"), flags=re.MULTILINE)
    assert sorted(headings) == sorted([*CONCRETE, "MopError"])  # which is answered for a bug


@pytest.mark.parametrize("name", sorted(CONCRETE))
def test_an_errors_section_says_something(name: str) -> None:
    assert len(sections()[name].split()) >= 10


def test_a_section_tells_the_status_that_the_error_has() -> None:
    told = {
        name: int(match.group(1))
        for name, body in sections().items()
        if (match := re.search(r"Status (\d{3})\.", body))
    }
    assert told == {name: int(CONCRETE.get(name, MopError).http_status) for name in told}


def test_the_faults_of_a_model_stand_in_the_order_of_the_rules() -> None:
    faults = [name for name, error in CONCRETE.items() if issubclass(error, ModelFault)]
    assert [name for name in sections() if name in faults] == faults


def test_links_within_the_docs_of_errors_lead_somewhere() -> None:
    text = (DOCS / "errors.md").read_text(encoding="utf-8")
    anchors = {heading.lower().replace(" ", "-") for heading in re.findall(r"^#+ (.+)$", text, flags=re.MULTILINE)}
    assert set(re.findall(r"\]\(#([^)]+)\)", text)) <= anchors
    assert all((DOCS / page).is_file() for page in re.findall(r"\]\(([\w-]+\.md)", text))


@pytest.mark.parametrize("name", sorted(CONCRETE))
def test_an_error_survives_its_json_form(name: str) -> None:
    error = CONCRETE[name]("what was seen", hint="what to do", place="src/x:1", also=("another",))
    again = from_dict(json.loads(json.dumps(error.to_dict())))
    assert type(again) is CONCRETE[name]
    assert again.to_dict() == error.to_dict()
    assert str(again) == "what was seen"


def test_an_error_without_a_hint_of_its_own_tells_the_default_one() -> None:
    assert TaskLabelMismatchError("x").hint == TaskLabelMismatchError.default_hint != ""
    assert TaskLabelMismatchError("x", hint="").hint == ""


def test_every_error_has_a_hint_but_those_of_which_the_message_alone_can_tell_what_to_do() -> None:
    without = {name for name, error in CONCRETE.items() if not error.default_hint}
    refused = {"ConflictError", "RunNotPossibleError", "BackupRefusedError", "SignInRefusedError"}
    assert without == {"UserScriptException", "InvalidRequestError", "ValidationFailedError", *refused}


def test_an_exception_of_the_models_code_advises_nothing_by_its_class() -> None:
    assert UserScriptException("x").hint == ""


def test_a_name_that_the_catalogue_does_not_have_becomes_the_root_error() -> None:
    assert type(from_dict({"name": "Unheard", "message": "m"})) is MopError


def test_a_failed_validation_keeps_the_messages_of_its_fields() -> None:
    error = ValidationFailedError("no", fields={"version": ["is taken"]})
    assert error.to_dict()["fields"] == {"version": ["is taken"]}
