"""Words that people read: actions of the audit log, kinds of notifications, messages; none is an identifier."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

import mop
from mop.areas.registry import registered
from mop.areas.scopes import KNOWN_SCOPES, scopes_label
from mop.areas.words import OBJECT_TYPES, action_label
from mop.engine.lifecycle import State
from mop.errors import CATALOGUE
from mop.history.selectors import known_actions
from mop.notifications.kinds import all_kinds
from mop.ui.counting import counted
from mop.ui.templatetags.mop_ui import marked
from support.plain_words import not_for_people

ROOT = Path(mop.__file__).parent


@pytest.mark.parametrize(
    "text",
    ["model.owner_added: regressionFinished", "1 cases", "['a', 'b']", "a {{ value }}", "customized_name is empty"],
)
def test_what_is_no_word_for_people_is_found(text: str):
    assert not_for_people(text) != []


@pytest.mark.parametrize(
    "text",
    [
        "1 case, 2 cases",
        "it is verifyFailed",
        "None.",
        "src/inference.py line 31",
        "Standard_F4s_v2",
        "mops_wTI8",
        "mops_ksUw",
        "mopgw_abCd",
        "v1.1",
    ],
)
def test_words_names_and_the_products_vocabulary_are_not(text: str):
    assert not_for_people(text) == []


def _spoken() -> Iterator[tuple[str, str]]:
    """What stands in pages beside texts of templates, with where it comes from."""
    yield from ((action.value, action.label) for action in known_actions())
    yield from OBJECT_TYPES.items()
    for kind in all_kinds():
        yield from ((kind.value, kind.short), (kind.value, kind.label))
    yield from ((scope, scopes_label([scope])) for scope in KNOWN_SCOPES)
    for lifecycle in State.__subclasses__():
        yield from ((state.value, state.meaning) for state in lifecycle)  # type: ignore[attr-defined]
    yield from ((name, error.title) for name, error in CATALOGUE.items())


def test_what_pages_say_of_actions_kinds_scopes_states_and_errors_holds_no_identifier():
    spoken = [*_spoken()]
    assert len(spoken) > 300
    assert {where: found for where, text in spoken if (found := not_for_people(text))} == {}
    # a version is called so; a revision is what programs name by its id
    assert [text for _, text in spoken if "revision" in text.lower()] == []


def test_every_kind_of_notification_has_a_short_name_of_its_own_area():
    for area in registered():
        names = [kind.short for kind in area.notification_kinds or ()]
        assert len(names) == len(set(names)), area.name


def test_every_type_of_object_in_the_audit_log_has_words():
    found = {
        word.value.value
        for path in ROOT.rglob("*.py")
        if "object_type" in (text := path.read_text(encoding="utf-8"))
        for word in ast.walk(ast.parse(text))
        if isinstance(word, ast.keyword) and word.arg == "object_type" and isinstance(word.value, ast.Constant)
    }
    assert len(found) > 20
    assert found - set(OBJECT_TYPES) == set()


def test_an_action_of_an_earlier_mop_has_words_too():
    assert action_label("robot_arm.moved_away") == "Robot arm: moved away"


@pytest.mark.parametrize(
    ("number", "text"), [(0, "no warnings"), (1, "1 warning"), (2, "2 warnings"), (2300, "2,300 warnings")]
)
def test_a_count_agrees_with_its_noun(number: int, text: str):
    assert counted(number, "warning") == text


def test_commands_in_a_message_are_code_and_all_else_is_text():
    assert marked("Run `mop doctor <x>` & wait") == "Run <code>mop doctor &lt;x&gt;</code> &amp; wait"
    assert marked("a ` alone <b>") == "a ` alone &lt;b&gt;"


def test_no_attribute_of_a_template_holds_a_filter_that_gives_markup():
    """Its first quote would end the attribute, and the rest would stand in the page."""
    markup = re.compile(
        r"""(?<=[\s{}])(?:title|aria-label|placeholder)="(?:[^"{]|\{\{.*?\}\}|\{%.*?%\})*?"(?=[\s>{])"""
    )
    gives = re.compile(r"\|(score|give_or_take|when|ago|marked)[\s}|]")
    templates = [path for path in ROOT.rglob("*.html") if "templates" in path.parts]
    assert len(templates) > 150
    found = [
        (path.name, attribute)
        for path in templates
        for attribute in markup.findall(path.read_text(encoding="utf-8"))
        if gives.search(re.sub(r"\|\w+\|striptags", "", attribute))
    ]
    assert found == []


def test_every_form_says_what_is_wrong_in_the_portals_words():
    """A form that a page draws is a PlainForm, unless it is one of the sign-in's own library."""
    found = {
        f"{path.relative_to(ROOT)}: {name.name}"
        for path in ROOT.rglob("*forms*.py")
        if path.name != "forms.py" or path.parent.name != "ui"
        for name in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(name, ast.ClassDef)
        for base in name.bases
        if ast.unparse(base) in {"forms.Form", "forms.ModelForm"}
    }
    assert found == set()
