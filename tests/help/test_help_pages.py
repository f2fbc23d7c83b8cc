"""The guides and the description of the API as pages, and who is to be asked."""

from __future__ import annotations

import html
import re

import pytest
from django.test import Client

from mop.errors import CATALOGUE, MopError
from mop.help.guides import GROUPS, IN_REPOSITORY, find_sections, get_guide, groups
from mop.ui.templatetags.mop_ui import error_docs


def page(client: Client, url: str) -> str:
    answer = client.get(url)
    assert answer.status_code == 200, url
    return answer.content.decode()


def test_every_guide_of_the_repository_is_a_page(client: Client):
    names = {name for _, names in GROUPS for name in names}
    assert names == {path.stem for path in IN_REPOSITORY.glob("*.md")} - {"README"}
    index = page(client, "/help/")
    for name in sorted(names):
        assert f'href="/help/{name}/"' in index
        assert "<h1>" in page(client, f"/help/{name}/")
    assert client.get("/help/no-such-guide/").status_code == 404


def test_links_between_guides_lead_to_sections_that_exist():
    anchors = {guide.name: {section.anchor for section in guide.sections} for _, guides in groups() for guide in guides}
    for _, guides in groups():
        for guide in guides:
            for name, anchor in re.findall(r'href="/help/([\w-]+)/(?:#([^"]*))?"', guide.html):
                assert name in anchors, f"{guide.name} leads to {name}"
                assert not anchor or anchor in anchors[name], f"{guide.name} leads to {name}#{anchor}"


@pytest.mark.parametrize("name", [name for name, error in CATALOGUE.items() if error.title != MopError.title])
def test_every_error_has_a_section_that_the_portal_links_to(name: str):
    address, _, anchor = error_docs(name).partition("#")
    assert address == "/help/errors/"
    (errors,) = [guide for _, guides in groups() for guide in guides if guide.name == "errors"]
    assert anchor in {section.anchor for section in errors.sections}


def test_sections_are_found_by_all_words_with_headings_first(client: Client):
    hits = find_sections("UserScriptException", 5)
    assert hits[0].name == "UserScriptException"
    assert find_sections("UserScriptException nosuchword", 5) == []
    assert "/help/errors/#userscriptexception" in page(client, "/help/?q=UserScriptException")
    assert "&lt;b&gt;" in page(client, "/help/?q=%3Cb%3E")


def test_a_word_is_found_by_its_beginning_and_not_inside_another():
    found = find_sections("whatev", 50)
    assert found
    assert find_sections("hatever", 50) == []


def test_a_section_keeps_the_blank_where_its_line_was_broken():
    section = next(one for one in get_guide("datasets").sections if one.title == "The file")
    assert "texts may hold hate" in section.text


def test_html_in_a_guide_is_text():
    for _, guides in groups():
        for guide in guides:
            assert not re.search(r"<(script|style|iframe|img)\b", guide.html), guide.name


def test_the_api_is_described_with_titles_and_fields(client: Client):
    text = html.unescape(page(client, "/help/api/"))
    assert "/api/v1/models/{name}" in text
    assert "model_url" in text
    assert "_api_" not in "".join(re.findall(r"<strong>(.*?)</strong>", text))


def test_the_support_contact_is_shown_where_there_is_one(client: Client, settings):
    assert "Support:" not in page(client, "/help/")
    settings.MOP_SUPPORT_CONTACT = "mop@example.org"
    assert 'href="mailto:mop@example.org"' in page(client, "/help/")
    settings.MOP_SUPPORT_CONTACT = "Ask <Olivia>"
    assert "Ask &lt;Olivia&gt;" in page(client, "/help/")
