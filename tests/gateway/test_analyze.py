"""The real client of Azure AI Content Safety analyzes texts and images through the gateway."""

from __future__ import annotations

import io
import uuid
from datetime import UTC, datetime

import httpx
import pytest
from azure.ai.contentsafety.models import (
    AnalyzeImageOptions,
    AnalyzeImageOutputType,
    AnalyzeTextOptions,
    AnalyzeTextOutputType,
    ImageCategory,
    ImageData,
    TextCategory,
)
from azure.core.credentials import AccessToken
from azure.core.exceptions import ClientAuthenticationError, HttpResponseError
from PIL import Image

from gateway.conftest import Caller, FixedModels, Serve, WordModel, all_slots
from mop.errors import HostLostError, QueueFullError, UserScriptException
from mop.gateway.answer_log import _insert
from mop.gateway.categories import BY_NAME, Kind
from mop.gateway.gateway_metrics import GatewayMetrics
from mop.gateway.live_models import Routing, Slot
from mop.gateway.models import Answer
from mop.releases.models import Service

pytestmark = pytest.mark.django_db

ANALYZE = "/contentsafety/text:analyze?api-version=2023-10-01"


def image(width: int = 64, height: int = 64, form: str = "PNG") -> bytes:
    made = io.BytesIO()
    Image.new("RGB", (width, height), "red").save(made, form)
    return made.getvalue()


def severities(result: object) -> dict[str, int | None]:
    return {str(one.category): one.severity for one in result.categories_analysis}  # type: ignore[attr-defined]


def refused(call: object, *arguments: object) -> tuple[type[Exception], int | None, str]:
    with pytest.raises(HttpResponseError) as caught:
        call(*arguments)  # type: ignore[operator]
    assert caught.value.error is not None
    return type(caught.value), caught.value.status_code, str(caught.value.error.code)


def test_a_text_is_told_in_four_or_eight_levels(serve: Serve):
    def body(caller: Caller) -> None:
        text = "I hate it"
        assert severities(caller.safety.analyze_text(AnalyzeTextOptions(text=text))) == {
            "Hate": 4,
            "SelfHarm": 0,
            "Sexual": 0,
            "Violence": 0,
        }
        options = AnalyzeTextOptions(text=text, output_type=AnalyzeTextOutputType.EIGHT_SEVERITY_LEVELS)
        assert severities(caller.safety.analyze_text(options))["Hate"] == 5
        options = AnalyzeTextOptions(text="fine", output_type=AnalyzeTextOutputType.FOUR_SEVERITY_LEVELS)
        assert severities(caller.safety.analyze_text(options))["Hate"] == 0

    serve(body)


def test_an_image_goes_to_its_models_as_it_was_sent(serve: Serve, models: FixedModels):
    def body(caller: Caller) -> None:
        for form in ("PNG", "JPEG", "GIF", "BMP", "TIFF", "WEBP"):
            data = ImageData(content=image(form=form))
            options = AnalyzeImageOptions(
                image=data,
                categories=[ImageCategory.HATE],
                output_type=AnalyzeImageOutputType.FOUR_SEVERITY_LEVELS,
            )
            assert severities(caller.safety.analyze_image(options)) == {"Hate": 4}

    serve(body)
    [model] = models.routing.models()
    assert isinstance(model, WordModel)
    assert len(model.asked) == 6
    assert {kind for kind, _ in model.asked} == {Kind.IMAGE}


def test_only_the_categories_that_are_asked_for_are_answered_in_the_contracts_order(serve: Serve):
    def body(caller: Caller) -> None:
        wanted = [TextCategory.VIOLENCE, TextCategory.HATE]
        found = caller.safety.analyze_text(AnalyzeTextOptions(text="hate", categories=wanted))
        assert list(severities(found)) == ["Hate", "Violence"]

    serve(body)


def test_each_category_is_answered_by_its_own_release(serve: Serve, models: FixedModels):
    hate, violence = WordModel(), WordModel("fight", 7, "violence", 2, "fights v3")
    slots = {(Kind.TEXT, BY_NAME["Hate"]): Slot(hate), (Kind.TEXT, BY_NAME["Violence"]): Slot(violence)}
    models.routing = Routing(slots)

    def body(caller: Caller) -> None:
        found = caller.safety.analyze_text(AnalyzeTextOptions(text="they fight"))
        assert severities(found) == {"Hate": 0, "Violence": 6}
        asked = AnalyzeTextOptions(text="they fight", categories=[TextCategory.HATE, TextCategory.SEXUAL])
        assert refused(caller.safety.analyze_text, asked) == (HttpResponseError, 400, "InvalidRequestBody")
        no_images = AnalyzeImageOptions(image=ImageData(content=image()))
        assert refused(caller.safety.analyze_image, no_images) == (HttpResponseError, 503, "ServerBusy")

    serve(body)


def test_categories_are_asked_side_by_side_and_one_model_once(serve: Serve, models: FixedModels):
    slow = [WordModel(seconds=0.3, label=f"slow {number}") for number in range(3)]
    slots = dict(zip(all_slots(slow[0], (Kind.TEXT,)), map(Slot, [*slow, slow[2]]), strict=True))
    models.routing = Routing(slots)

    def body(caller: Caller) -> float:
        answer = httpx.post(
            caller.endpoint + ANALYZE, json={"text": "a"}, headers={"Ocp-Apim-Subscription-Key": caller.key}
        )
        assert len(answer.json()["categoriesAnalysis"]) == 4
        return answer.elapsed.total_seconds()

    assert serve(body) < 0.6
    assert [len(model.asked) for model in slow] == [1, 1, 1]


def test_a_wrong_key_an_oversized_text_and_a_bad_image_are_the_documented_errors(serve: Serve):
    def body(caller: Caller) -> None:
        stranger = Caller(caller.endpoint, "mopgw_wrong")
        asked = AnalyzeTextOptions(text="a")
        assert refused(stranger.safety.analyze_text, asked) == (ClientAuthenticationError, 401, "401")
        long = AnalyzeTextOptions(text="ä" * 10_001)
        assert refused(caller.safety.analyze_text, long) == (HttpResponseError, 400, "InvalidRequestBody")
        caller.safety.analyze_text(AnalyzeTextOptions(text="😀" * 10_000))
        for content in (b"no image", image(49, 64), image(64, 2049), image()[:20], b"\x89PNG" + bytes(5 << 20)):
            options = AnalyzeImageOptions(image=ImageData(content=content))
            assert refused(caller.safety.analyze_image, options) == (HttpResponseError, 400, "InvalidRequestBody")
        for side in (50, 2048):
            caller.safety.analyze_image(AnalyzeImageOptions(image=ImageData(content=image(side, side))))

    serve(body)


@pytest.mark.parametrize(
    ("path", "sent", "target"),
    [
        ("text", {}, "text"),
        ("text", {"text": ""}, "text"),
        ("text", {"text": 3}, "text"),
        ("text", {"text": "a", "categories": ["Anger"]}, "categories"),
        ("text", {"text": "a", "categories": "Hate"}, "categories"),
        ("text", {"text": "a", "outputType": "SixSeverityLevels"}, "outputType"),
        ("text", {"text": "a", "blocklistNames": "list"}, "blocklistNames"),
        ("text", {"text": "a", "blocklistNames": ["none"]}, "blocklistNames"),
        ("text", {"text": "a", "haltOnBlocklistHit": 1}, "haltOnBlocklistHit"),
        ("text", {"text": "a", "secret": "a"}, None),
        ("text", [], None),
        ("image", {}, "image"),
        ("image", {"image": {}}, "image"),
        ("image", {"image": {"content": "!"}}, "image.content"),
        ("image", {"image": {"content": "", "blobUrl": "https://x"}}, "image"),
        ("image", {"image": {"content": "", "more": 1}}, "image.content"),
        ("image", {"image": {"blobUrl": "https://account.blob.core.windows.net/c/a.png"}}, "image.blobUrl"),
        ("image", {"image": {"content": ""}, "outputType": "EightSeverityLevels"}, "outputType"),
    ],
)
def test_a_body_that_is_not_the_contracts_names_its_part(serve: Serve, path: str, sent: object, target: str | None):
    def body(caller: Caller) -> None:
        url = f"{caller.endpoint}/contentsafety/{path}:analyze?api-version=2023-10-01"
        answer = httpx.post(url, json=sent, headers={"Ocp-Apim-Subscription-Key": caller.key})
        assert answer.status_code == 400
        assert answer.headers["x-ms-error-code"] == answer.json()["error"]["code"] == "InvalidRequestBody"
        assert answer.json()["error"].get("target") == target

    serve(body)


def test_addresses_methods_and_versions_are_checked_and_slashes_do_not_matter(serve: Serve):
    def body(caller: Caller) -> None:
        head = {"Ocp-Apim-Subscription-Key": caller.key}

        def code(method: str, path: str, **more: object) -> tuple[int, str]:
            answer = httpx.request(method, caller.endpoint + path, headers=head, **more)  # type: ignore[arg-type]
            assert uuid.UUID(answer.headers["x-ms-request-id"])
            return answer.status_code, "" if answer.is_success else answer.json()["error"]["code"]

        text = {"json": {"text": "a"}}
        assert code("POST", "/" + ANALYZE, **text) == (200, "")
        assert code("POST", ANALYZE.replace(":", "%3A"), **text) == (200, "")
        assert code("GET", ANALYZE) == (405, "MethodNotAllowed")
        assert code("POST", ANALYZE.partition("?")[0], **text) == (400, "MissingApiVersionParameter")
        assert code("POST", ANALYZE.replace("2023", "2024"), **text) == (400, "UnsupportedApiVersionValue")
        assert code("POST", "/contentsafety/audio:analyze?api-version=2023-10-01") == (404, "ResourceNotFound")
        assert code("POST", "/") == (404, "ResourceNotFound")
        assert code("POST", ANALYZE, content=b"{") == (400, "InvalidRequestBody")
        assert code("POST", ANALYZE, content=b" " * (9 << 20)) == (413, "InvalidRequestBody")
        assert httpx.get(f"{caller.endpoint}/health").json() == {"status": "alive"}
        assert httpx.get(f"{caller.endpoint}/ready").json() == {"status": "ready"}
        assert httpx.get(f"{caller.endpoint}/metrics").status_code == 401

    serve(body)


def test_the_key_may_come_as_a_bearer(serve: Serve):
    class Key:
        def __init__(self, key: str) -> None:
            self._key = key

        def get_token(self, *_scopes: str, **_options: object) -> AccessToken:
            return AccessToken(self._key, 1 << 40)

    def body(caller: Caller) -> None:
        head = {"Authorization": f"Bearer {Key(caller.key).get_token().token}"}
        assert httpx.post(caller.endpoint + ANALYZE, json={"text": "a"}, headers=head).status_code == 200
        head = {"Authorization": "Bearer wrong"}
        assert httpx.post(caller.endpoint + ANALYZE, json={"text": "a"}, headers=head).status_code == 401

    serve(body)


@pytest.mark.parametrize(
    ("error", "status", "code"),
    [
        (UserScriptException("src/inference.py line 3 raised ValueError: hate"), 500, "InternalError"),
        (QueueFullError("256 items wait"), 429, "TooManyRequests"),
        (HostLostError("gone"), 503, "ServerBusy"),
    ],
)
def test_a_model_that_does_not_answer_is_an_error_that_tells_nothing_of_it(
    serve: Serve, models: FixedModels, error: Exception, status: int, code: str
):
    models.routing = Routing(all_slots(WordModel(error=error)))  # type: ignore[arg-type]

    def body(caller: Caller) -> None:
        answer = httpx.post(
            caller.endpoint + ANALYZE, json={"text": "I hate it"}, headers={"Ocp-Apim-Subscription-Key": caller.key}
        )
        assert (answer.status_code, answer.json()["error"]["code"]) == (status, code)
        assert ("retry-after" in answer.headers) == (status != 500)
        assert "hate" not in answer.text
        assert "inference" not in answer.text

    serve(body)
    assert models.answers == [("words v1", False, True)]


def test_what_a_canary_fails_is_answered_by_what_is_live(serve: Serve, models: FixedModels):
    canary = WordModel(error=UserScriptException("raised"), release=2, label="words v2")
    slots = {place: Slot(slot.live, canary, 100) for place, slot in all_slots(WordModel()).items()}
    models.routing = Routing(slots)
    metrics = GatewayMetrics("Content Safety")

    def body(caller: Caller) -> str:
        found = caller.safety.analyze_text(AnalyzeTextOptions(text="hate"))
        assert severities(found)["Hate"] == 4
        return httpx.get(f"{caller.endpoint}/metrics", headers={"Authorization": f"Bearer {caller.key}"}).text

    page = serve(body, metrics=metrics)
    assert sorted(models.answers) == [("words v1", False, False), ("words v2", True, True)]
    assert 'mop_gateway_canary_fallbacks_total{service="Content Safety"} 4' in page
    assert 'side="canary",kind="Text",category="Hate",model="words v2",release="2"} 1' in page
    assert 'mop_gateway_requests_total{service="Content Safety",operation="text:analyze",code="200"} 1' in page


def test_a_canary_of_one_category_that_fails_is_made_good_by_an_answer_that_is_there(serve: Serve, models: FixedModels):
    live = WordModel()
    canary = WordModel(error=UserScriptException("raised"), release=2, label="words v2")
    slots = all_slots(live, (Kind.TEXT,))
    models.routing = Routing({**slots, (Kind.TEXT, BY_NAME["Hate"]): Slot(live, canary, 100)})

    def body(caller: Caller) -> None:
        found = caller.safety.analyze_text(AnalyzeTextOptions(text="hate"))
        assert severities(found) == {"Hate": 4, "SelfHarm": 0, "Sexual": 0, "Violence": 0}

    serve(body)
    assert (len(canary.asked), len(live.asked)) == (1, 1)
    assert sorted(models.answers) == [("words v1", False, False), ("words v2", True, True)]


def test_when_one_model_fails_the_others_are_not_waited_for(serve: Serve, models: FixedModels):
    failing, slow = WordModel(error=HostLostError("gone")), WordModel(seconds=600, release=2, label="slow")
    slots = all_slots(slow, (Kind.TEXT,))
    models.routing = Routing({**slots, (Kind.TEXT, BY_NAME["Violence"]): Slot(failing)})

    def body(caller: Caller) -> None:
        options = AnalyzeTextOptions(text="a")
        assert refused(caller.safety.analyze_text, options) == (HttpResponseError, 503, "ServerBusy")

    serve(body)
    assert models.answers == [("words v1", False, True)]
    assert len(slow.asked) == 1


def test_every_answer_is_recorded_without_its_content(serve: Serve, caplog: pytest.LogCaptureFixture):
    secret = "hate unmistakable-content"

    def body(caller: Caller) -> list[str]:
        head = {"Ocp-Apim-Subscription-Key": caller.key}
        good = httpx.post(caller.endpoint + ANALYZE, json={"text": secret}, headers=head)
        bad = httpx.post(caller.endpoint + ANALYZE, json={"text": secret, "categories": [secret]}, headers=head)
        assert "unmistakable" not in bad.text
        return [one.headers["apim-request-id"] for one in (good, bad)]

    ids = serve(body)
    good, bad = (Answer.objects.get(request_id=one) for one in ids)
    assert (good.status, bad.status, good.kind, bad.findings) == (200, 400, "Text", {})
    assert good.findings["Hate"] == {
        "severity": 4,
        "score": 0.9,
        "release": 1,
        "version": "words v1",
        "is_canary": False,
    }
    assert 0 < good.milliseconds < 5000
    assert "unmistakable" not in caplog.text
    assert "unmistakable" not in str([vars(one) for one in (good, bad)])


@pytest.mark.dialect
@pytest.mark.parametrize("at", [datetime(2026, 1, 2, 3, 4, 5, 678901, UTC), datetime(2026, 1, 2, 3, 4, 5, 0, UTC)])
def test_records_are_kept_as_the_database_keeps_every_id_and_time_and_may_be_written_again(
    service: Service, at: datetime
):
    findings = {"Hate": {"severity": 4, "score": 0.25, "release": 1, "version": 'a "v" 1 ü\\', "is_canary": False}}
    ids = [uuid.uuid4() for _ in range(3)]
    rows = [(str(one), service.pk, at, "Text", 200, 1.5, findings) for one in ids]
    _insert(rows[:2])
    _insert(rows)
    Answer.objects.create(request_id=uuid.uuid4(), service=service, at=at, kind="Text", status=200, milliseconds=1.5)
    kept = Answer.objects.filter(request_id__in=ids)
    assert {one.request_id for one in kept} == set(ids)
    assert {(one.at, one.kind, one.status, one.milliseconds) for one in kept} == {(at, "Text", 200, 1.5)}
    assert all(one.findings == findings for one in kept)
    assert Answer.objects.filter(at=at, findings__Hate__severity=4).count() == 3
    assert Answer.objects.filter(at=at).count() == 4


def test_a_fault_of_the_gateway_itself_tells_type_and_place_alone(
    serve: Serve, models: FixedModels, caplog: pytest.LogCaptureFixture
):
    models.routing = Routing(all_slots(WordModel(error=KeyError("unmistakable-content"))))  # type: ignore[arg-type]

    def body(caller: Caller) -> httpx.Response:
        return httpx.post(
            caller.endpoint + ANALYZE, json={"text": "a"}, headers={"Ocp-Apim-Subscription-Key": caller.key}
        )

    answer = serve(body)
    assert (answer.status_code, answer.json()["error"]["code"]) == (500, "InternalError")
    assert "unmistakable" not in caplog.text + answer.text
    assert "KeyError at" in caplog.text
