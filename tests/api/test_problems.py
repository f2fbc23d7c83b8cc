from __future__ import annotations

import base64
import json
import re
from http import HTTPStatus
from typing import Any

import jsonschema_rs
import pytest
from django.http import HttpResponse
from django.test import Client

from mop.api.api import api as ninja
from mop.api.problems import problem_response
from mop.errors import CATALOGUE, MopError
from mop.registry import revisions_api
from support.api import Api
from support.browsing import client_of
from support.factories import make_model, make_token, make_user
from support.permission_table import api_rows

pytestmark = pytest.mark.django_db


@pytest.fixture
def api() -> Api:
    return Api(token=make_token(make_user("ada")))


def problem(answer: HttpResponse, status: int, name: str) -> dict[str, Any]:
    """The body, checked for what every problem has."""
    body = json.loads(answer.content)
    assert answer.headers["Content-Type"] == "application/problem+json"
    assert (answer.status_code, body["status"], body["name"]) == (status, status, name)
    assert body["type"] == f"/help/errors/#{name.lower()}"
    assert body["title"]
    assert body["message"] == body["detail"] != ""
    assert {"hint", "place", "also"} <= set(body)
    return body


def raw(api: Api, content: bytes, content_type: str = "application/json") -> HttpResponse:
    return api.client.post("/api/v1/models", content, content_type=content_type, headers=api._headers)


@pytest.mark.parametrize("path", ["/api/", "/api/v2/models", "/api/v1/", "/api/v1/nothing", "/api/v1/models/a/b/c/d"])
@pytest.mark.parametrize("method", ["GET", "POST", "DELETE"])
def test_unknown_addresses(path: str, method: str):
    problem(Client(enforce_csrf_checks=True).generic(method, path), 404, "NotFoundError")


def test_a_method_that_an_address_does_not_take(api: Api):
    answer = api.call("PUT", "/models")
    assert "it takes" in problem(answer, 405, "MethodNotAllowedError")["message"]
    assert set(answer.headers["Allow"].split(", ")) == {"GET", "POST"}


def test_a_get_on_an_address_that_takes_only_post_stays_a_problem(api: Api):
    answer = api.get("/models/x/revisions/v1.0.0/retry")
    assert "it takes POST" in problem(answer, 405, "MethodNotAllowedError")["message"]
    assert answer.headers["Allow"] == "POST"


NESTED = b"[" * 100 + b"]" * 100


@pytest.mark.parametrize(
    "content", [b"{", b'{"a": NaN}', b'{"a": "\\ud800"}', b"\xff", b'{"a": "\\u0000"}', b'{"\\u0000": 1}', NESTED]
)
def test_bodies_that_are_not_strict_json(api: Api, content: bytes):
    problem(raw(api, content), 400, "InvalidRequestError")


def test_no_body_at_all(api: Api):
    problem(raw(api, b""), 422, "ValidationFailedError")


@pytest.mark.parametrize("content", [b"[]", b"1", b'"x"', b"null"])
def test_json_that_is_no_object(api: Api, content: bytes):
    problem(raw(api, content), 422, "ValidationFailedError")


def test_a_body_over_the_limit(api: Api):
    content = json.dumps({"description": "x" * 6 * 1024**2}).encode()
    problem(raw(api, content), 413, "RequestTooLargeError")


def test_fields_are_named_without_where_ninja_found_them(api: Api):
    body = problem(api.post("/models", {"worker_number": 0, "colour": "red"}), 422, "ValidationFailedError")
    assert set(body["fields"]) == {"worker_number", "colour", "model_url", "connections"}
    body = problem(api.get("/models", limit=0, sort="colour"), 422, "ValidationFailedError")
    assert set(body["fields"]) == {"limit", "sort"}


def test_rules_of_services_name_the_same_fields(api: Api):
    body = api.post("/models", {"name": "a b", "model_url": "ftp://x", "connections": [{"task": "none"}]}).json()
    assert set(body["fields"]) == {"connections"}
    model = make_model()
    task = model.connections.get().task.name
    body = api.post("/models", {"name": "a b", "model_url": "ftp://x", "connections": [{"task": task}]})
    assert set(problem(body, 422, "ValidationFailedError")["fields"]) == {"name", "model_url"}


@pytest.mark.parametrize("field", ["team", "instance_type"])
def test_a_name_in_a_body_that_stands_for_nothing_is_a_fields_mistake(api: Api, field: str):
    task = make_model().connections.get().task.name
    body = {"model_url": "file:///x", "connections": [{"task": task}], field: "nowhere"}
    assert set(problem(api.post("/models", body), 422, "ValidationFailedError")["fields"]) == {field}


DESCRIBED = ["/models", "/tasks", "/taxonomies", "/teams", "/services"]


@pytest.mark.parametrize("path", DESCRIBED)
def test_what_lists_show_is_no_book(path: str):
    """A description of four megabytes would be in every page of a list."""
    administrator = Api(token=make_token(make_user(is_administrator=True)))
    fields = problem(administrator.post(path, {"description": "x" * 5001}), 422, "ValidationFailedError")["fields"]
    assert fields["description"] == ["String should have at most 5000 characters"]
    assert "description" not in administrator.post(path, {"description": "x" * 5000}).json()["fields"]


def test_texts_that_change_are_no_books_either():
    model = make_model()
    api = Api(token=make_token(model.created_by))
    for path, field in ((f"/models/{model.name}", "description"), (f"/models/{model.name}/revisions/v1.0.0", "note")):
        assert set(problem(api.patch(path, {field: "x" * 5001}), 422, "ValidationFailedError")["fields"]) == {field}
    assert set(api.post(f"/models/{model.name}/revisions", {"note": "x" * 5001}).json()["fields"]) == {"note"}


def test_a_field_of_several_types_is_named_once_with_all_that_it_takes(api: Api):
    for path, field, first, last in (("/models", "status", "created", "all"), ("/dsat", "state", "open", "waiting")):
        fields = problem(api.get(path, **{field: "nonsense"}), 422, "ValidationFailedError")["fields"]
        assert set(fields) == {field}
        (message,) = fields[field]
        assert f"'{first}'" in message
        assert f"'{last}'" in message


def test_a_nul_character_in_an_address(api: Api):
    problem(api.client.get("/api/v1/models/a%00b", headers=api._headers), 400, "InvalidRequestError")
    problem(api.client.get("/api/v1/models?search=%00", headers=api._headers), 400, "InvalidRequestError")


@pytest.mark.parametrize("cursor", ["nonsense", "WyJhZnRlciIsIHsiYSI6IDF9LCAxXQ", "WyJhZnRlciIsICJ4IiwgIngiXQ", "%"])
def test_a_cursor_that_no_list_gave(api: Api, cursor: str):
    make_model(owner=make_user(is_administrator=True))
    administrator = Api(token=make_token(make_user(is_administrator=True)))
    answer = administrator.get("/models", cursor=cursor, sort="created")
    assert set(problem(answer, 422, "ValidationFailedError")["fields"]) == {"cursor"}


MADE_UP = [
    r'["after", "\ud800", 1]',
    r'["after", "\u0000", 1]',
    r'["after", ["\ud800"]]',
    '["after", Infinity, 1]',
    '["after", 1e999, 1e999]',
    '[{}, "x", 1]',
    f'["after", {10**30}, {10**30}]',
    "[" * 3000,
]


@pytest.mark.parametrize("text", MADE_UP, ids=range(len(MADE_UP)))
def test_a_cursor_that_somebody_made_up(text: str):
    """A cursor is text of the caller's: what JSON can hold and a database cannot compare with is no bug of MOP."""
    owner = make_user(is_administrator=True)
    model = make_model(owner=owner)
    administrator, portal = Api(token=make_token(owner)), client_of(owner)
    cursor = base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")
    for path in ("/models", "/tasks", "/users", "/datasets", "/notifications", "/audit", "/dsat"):
        answer = administrator.get(path, cursor=cursor)
        assert answer.status_code in {200, 404, 422}, (path, answer.content)
    for page in ("/models/", f"/models/{model.name}/"):
        assert portal.get(page, {"cursor": cursor}).status_code == 200


def test_a_state_that_does_not_allow_it():
    model = make_model()
    answer = Api(token=make_token(model.created_by)).post(f"/models/{model.name}/revisions/v1.0.0/retry")
    problem(answer, 409, "ConflictError")


def test_a_bug_is_a_problem_too_and_tells_nothing(monkeypatch: pytest.MonkeyPatch):
    model = make_model()
    client = Client(raise_request_exception=False)
    api = Api(token=make_token(model.created_by), client=client)

    def bug(*_args: object) -> None:
        raise RuntimeError("a secret")

    monkeypatch.setattr(revisions_api, "told_timeline", bug)
    body = problem(api.get(f"/models/{model.name}/revisions/v1.0.0/events"), 500, "MopError")
    assert "a secret" not in str(body)


def test_the_description_tells_every_error_of_every_operation():
    schema = ninja.get_openapi_schema(path_prefix="/api/v1")
    declared = schema["components"]["responses"]
    for path, operations in schema["paths"].items():
        for operation in operations.values():
            # 416 has no body: it is HTTP's own answer to a Range that the file does not have
            statuses = {
                status: answer
                for status, answer in operation["responses"].items()
                if int(status) >= 400 and int(status) != HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE
            }
            assert {401, 403, 422, 500} <= set(statuses), path
            for status, answer in statuses.items():
                assert answer == {"$ref": f"#/components/responses/Problem{status}"}, path
    for name, response in declared.items():
        (content,) = response["content"].values()
        for error, example in content["examples"].items():
            assert f"`{error}`" in response["description"]
            assert f"Problem{example['value']['status']}" == name
            assert jsonschema_rs.is_valid({"components": schema["components"], **content["schema"]}, example["value"])


def test_what_the_table_of_permissions_expects_is_described():
    schema = ninja.get_openapi_schema(path_prefix="/api/v1")
    undescribed = [
        (row.method, row.path, status)
        for row in api_rows()
        for status in set(row.expected.values())
        if status not in schema["paths"][f"/api/v1{row.path}"][row.method.lower()]["responses"]
    ]
    assert undescribed == []


def test_the_type_of_every_error_is_a_section_of_a_page_that_exists():
    make_user("ada")
    client = client_of(make_user("bob"))
    sections = {}
    for name, error in {**CATALOGUE, "MopError": MopError}.items():
        page, _, section = json.loads(problem_response(error("x")).content)["type"].partition("#")
        if page not in sections:
            answer = client.get(page)
            assert answer.status_code == 200, page
            sections[page] = set(re.findall(r'id="([^"]+)"', answer.content.decode()))
        if "title" in vars(error):  # the others only group
            assert section in sections[page], name


def test_every_body_that_is_sent_has_an_example():
    schema = ninja.get_openapi_schema(path_prefix="/api/v1")
    lacking = set()
    for operations in schema["paths"].values():
        for operation in operations.values():
            for content in operation.get("requestBody", {}).get("content", {}).values():
                name = content["schema"].get("$ref", "").rpartition("/")[2]
                if name and not schema["components"]["schemas"][name].get("examples"):
                    lacking.add(name)
    assert sorted(lacking) == [], "give these an example in mop/api/examples.py"
