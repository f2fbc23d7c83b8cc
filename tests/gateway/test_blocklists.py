"""Blocklists by the real client: made, filled, listed, matched, halted on, emptied, deleted; shared by all gateways."""

from __future__ import annotations

import time
import uuid

import httpx
import pytest
from azure.ai.contentsafety.models import (
    AddOrUpdateTextBlocklistItemsOptions,
    AnalyzeTextOptions,
    RemoveTextBlocklistItemsOptions,
    TextBlocklist,
    TextBlocklistItem,
)
from azure.core.exceptions import HttpResponseError, ResourceNotFoundError

from gateway.conftest import Caller, FixedModels, Serve, WordModel
from gateway.test_analyze import refused, severities
from mop.audit.models import AuditEvent
from mop.gateway.block_terms import BlockTerms, Term, folded
from mop.gateway.models import BlocklistItem

pytestmark = [pytest.mark.django_db, pytest.mark.dialect]


def fill(caller: Caller, name: str, *texts: str) -> list[str]:
    caller.blocklists.create_or_update_text_blocklist(name, TextBlocklist(blocklist_name=name, description="d"))
    items = [TextBlocklistItem(text=text) for text in texts]
    added = caller.blocklists.add_or_update_blocklist_items(
        name, AddOrUpdateTextBlocklistItemsOptions(blocklist_items=items)
    )
    assert added.blocklist_items is not None
    return [str(one.blocklist_item_id) for one in added.blocklist_items]


def test_a_blocklist_is_made_read_filled_and_deleted(serve: Serve):
    def body(caller: Caller) -> None:
        client = caller.blocklists
        made = client.create_or_update_text_blocklist("list.1", TextBlocklist(blocklist_name="list.1", description="a"))
        assert (made.blocklist_name, made.description) == ("list.1", "a")
        changed = client.create_or_update_text_blocklist("list.1", {"description": "b"})
        assert changed.description == client.get_text_blocklist("list.1").description == "b"
        first, second = fill(caller, "list.1", "darn", "two words")
        assert fill(caller, "list.1", "darn") == [first]
        item = client.get_text_blocklist_item("list.1", second)
        assert (item.blocklist_item_id, item.text) == (second, "two words")
        assert [one.text for one in client.list_text_blocklist_items("list.1")] == ["darn", "two words"]
        remove = RemoveTextBlocklistItemsOptions(blocklist_item_ids=[first])
        client.remove_blocklist_items("list.1", remove)
        assert [one.text for one in client.list_text_blocklist_items("list.1")] == ["two words"]
        assert refused(client.remove_blocklist_items, "list.1", remove)[1:] == (404, "ResourceNotFound")
        client.delete_text_blocklist("list.1")
        assert list(client.list_text_blocklists()) == []

    serve(body)
    actions = AuditEvent.objects.filter(action__startswith="gateway.blocklist").order_by("pk")
    assert [one.data.get("items_put") for one in actions] == [None, None, None, 2, None, 1, None, None]
    assert {one.actor_label for one in actions} == {"caller of Content Safety with key 1"}
    assert "darn" not in str([one.data for one in actions])


def test_lists_come_in_pages_that_follow_each_other(serve: Serve):
    texts = [f"term {number:03}" for number in range(250)]

    def body(caller: Caller) -> None:
        for start in range(0, 250, 100):
            fill(caller, "long", *texts[start : start + 100])
        client = caller.blocklists
        assert [one.text for one in client.list_text_blocklist_items("long")] == texts
        some = client.list_text_blocklist_items("long", skip=5, top=130, maxpagesize=60)
        pages = [[one.text for one in page] for page in some.by_page()]
        assert [len(page) for page in pages] == [60, 60, 10]
        assert [text for page in pages for text in page] == texts[5:135]
        for number in range(3):
            fill(caller, f"list-{number}", "a")
        assert [one.blocklist_name for one in client.list_text_blocklists()] == ["list-0", "list-1", "list-2", "long"]

    serve(body)


def test_a_text_is_matched_and_may_halt_before_any_model_is_asked(serve: Serve, models: FixedModels):
    def body(caller: Caller) -> None:
        [first] = fill(caller, "words", "Darn it")
        fill(caller, "others", "h*te")
        options = AnalyzeTextOptions(text="DARN IT, I h*te you", blocklist_names=["words", "others"])
        found = caller.safety.analyze_text(options)
        assert found.blocklists_match is not None
        matches = [(one.blocklist_name, one.blocklist_item_text) for one in found.blocklists_match]
        assert matches == [("words", "Darn it"), ("others", "h*te")]
        assert found.blocklists_match[0].blocklist_item_id == first
        assert len(severities(found)) == 4
        [model] = models.routing.models()
        assert isinstance(model, WordModel)
        before = len(model.asked)
        options = AnalyzeTextOptions(text="darn it", blocklist_names=["words"], halt_on_blocklist_hit=True)
        found = caller.safety.analyze_text(options)
        assert (found.categories_analysis, len(found.blocklists_match or [])) == ([], 1)
        assert len(model.asked) == before
        options = AnalyzeTextOptions(text="fine", blocklist_names=["words"], halt_on_blocklist_hit=True)
        found = caller.safety.analyze_text(options)
        assert (found.blocklists_match, len(severities(found))) == ([], 4)

    serve(body)


def test_every_gateway_of_a_service_knows_a_change_within_two_seconds(serve: Serve):
    def hit(caller: Caller) -> bool:
        try:
            found = caller.safety.analyze_text(AnalyzeTextOptions(text="darn", blocklist_names=["words"]))
        except HttpResponseError:
            return False
        return bool(found.blocklists_match)

    def body(first: Caller, second: Caller) -> None:
        [darn] = fill(first, "words", "darn")
        assert hit(first)  # at once where it was changed
        assert second.blocklists.get_text_blocklist_item("words", darn).text == "darn"
        end = time.monotonic() + 2
        while not hit(second):
            assert time.monotonic() < end
        second.blocklists.remove_blocklist_items("words", RemoveTextBlocklistItemsOptions(blocklist_item_ids=[darn]))
        assert not hit(second)
        end = time.monotonic() + 2
        while hit(first):
            assert time.monotonic() < end

    serve(body, gateways=2)


def test_what_is_not_a_blocklist_or_an_item_is_refused(serve: Serve):
    def body(caller: Caller) -> None:
        client = caller.blocklists
        with pytest.raises(ResourceNotFoundError):
            client.get_text_blocklist("none")
        with pytest.raises(ResourceNotFoundError):
            client.get_text_blocklist_item("none", str(uuid.uuid4()))
        fill(caller, "words", "darn")
        with pytest.raises(ResourceNotFoundError):
            client.get_text_blocklist_item("words", "no-id")
        assert refused(client.get_text_blocklist, "bad name")[1:] == (400, "InvalidResourceName")
        assert refused(client.get_text_blocklist, "a" * 65)[1:] == (400, "InvalidResourceName")
        for items in (
            [],
            [{"text": ""}],
            [{"text": "a" * 129}],
            [{"text": "a", "isRegex": True}],
            [{"text": "a"}] * 101,
        ):
            body = {"blocklistItems": items}
            assert refused(client.add_or_update_blocklist_items, "words", body)[1:] == (400, "InvalidRequestBody")
        long = {"blocklistName": "words", "description": "a" * 1025}
        assert refused(client.create_or_update_text_blocklist, "words", long)[1:] == (400, "InvalidRequestBody")
        other = {"blocklistName": "another"}
        assert refused(client.create_or_update_text_blocklist, "words", other)[1:] == (400, "InvalidRequestBody")
        url = f"{caller.endpoint}/contentsafety/text/blocklists/words?api-version=2023-10-01"
        answer = httpx.put(url, headers={"Ocp-Apim-Subscription-Key": caller.key})
        assert (answer.status_code, answer.headers["allow"]) == (405, "GET, PATCH, DELETE")

    serve(body)
    assert BlocklistItem.objects.count() == 1


@pytest.mark.parametrize(
    ("term", "text", "is_found"),
    [
        ("ass", "a class", False),
        ("ass", "an ASS!", True),
        ("h*te", "I h*te you", True),
        ("*te", "I h*te you", True),
        ("te", "I h*te you", True),
        ("two words", "two  words", False),
        ("straße", "STRASSE", True),
        ("fi", "\ufb01", True),
        ("笨蛋", "你是笨蛋吗", True),
        ("bad1", "bad10", False),
        ("a", "", False),
    ],
)
def test_terms_are_found_as_whole_words_whatever_their_case(term: str, text: str, is_found: bool):  # noqa: FBT001 - a parameter
    assert bool(BlockTerms([Term("list", "1", term)]).matches(folded(text))) is is_found


def test_ten_thousand_terms_cost_as_much_as_ten():
    terms = BlockTerms(Term("list", str(number), f"word{number}") for number in range(10_000))
    text = folded("some ordinary words " * 500)
    began = time.perf_counter()
    assert terms.matches(text) == []
    assert time.perf_counter() - began < 0.5
