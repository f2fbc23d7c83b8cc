"""Files that become cases: what is read, what is refused and why, and that each row becomes one case."""

from __future__ import annotations

import csv
import io
import json
import random
from collections.abc import Iterator
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from mop import failpoints
from mop.accounts.models import User
from mop.accounts.services import actor_of
from mop.audit.models import AuditEvent
from mop.catalog.models import Task
from mop.dsat import importing
from mop.dsat.deletion import delete_case
from mop.dsat.importing import (
    ReadAhead,
    cancel_import,
    claim,
    forget_uploads,
    import_chunk,
    import_file,
    waiting_imports,
)
from mop.dsat.models import Case, CaseContent, CaseTerm, Import, ImportPart, item_of
from mop.dsat.reading import reader
from mop.dsat.rows import PART_BYTES, Lines
from mop.dsat.selectors import CaseFilter, cases_for_list
from mop.errors import ConflictError, StaleAttemptError, ValidationFailedError
from support.dsat import picture
from support.dsat_imports import import_now
from support.factories import ACTOR, make_task, make_user

pytestmark = [pytest.mark.django_db, pytest.mark.dialect]


@pytest.fixture
def task() -> Task:
    return make_task("hate")


@pytest.fixture
def user() -> User:
    return make_user("importer")


def _sent(task: Task, user: User, data: str | bytes, name: str = "cases.csv", **given: Any) -> Import:
    raw = data.encode() if isinstance(data, str) else data
    return import_file(actor=actor_of(user), user=user, task=task, file_name=name, data=raw, **given)


def _run(row: Import) -> Import:
    import_now(row.pk)
    row.refresh_from_db()
    return row


def _texts(task: Task) -> list[str]:
    return [item_of(one).get("text") for one in CaseContent.objects.filter(case__task=task).order_by("case_id")]


def test_rows_of_a_csv_file_become_cases(task: Task, user: User) -> None:
    row = _run(
        _sent(
            task,
            user,
            "\ufefftext,expected_label,kind,tags,trace_id,service\r\n"
            '"one, and ""two""",0,falsePositive,"a;b",t-1,AACS\r\n'
            '"over\ntwo lines",1,,,,\r\n\r\n',
            service="RAIO",
        )
    )
    assert (row.state, row.rows, row.added, row.refused, row.percent) == ("finished", 2, 2, 0, 100)
    first, second = Case.objects.order_by("id")
    assert _texts(task) == ['one, and "two"', "over\ntwo lines"]
    assert (first.kind, first.tags, first.trace_id, first.service) == ("falsePositive", ["a", "b"], "t-1", "AACS")
    assert (second.service, second.submitter, second.source_row) == ("RAIO", user, 3)
    assert cases_for_list(CaseFilter(search="lines"), reader(user))[0].get() == second


@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
def test_columns_stand_in_any_order_with_any_usual_delimiter(task: Task, user: User, delimiter: str) -> None:
    lines = [delimiter.join(cells) for cells in (["kind", "text"], ["falseNegative", "hello"])]
    assert _run(_sent(task, user, "\n".join(lines))).added == 1


def test_lines_of_jsonl_become_cases_in_both_forms(task: Task, user: User) -> None:
    rows = [
        {"text": "flat", "expected_label": "1", "tags": ["x"]},
        {"content": {"text": "nested"}, "kind": "falsePositive", "tags": "y, z"},
    ]
    data = "\n".join(json.dumps(row) for row in rows)
    row = _run(_sent(task, user, data, name="cases.jsonl"))
    assert (row.added, _texts(task)) == (2, ["flat", "nested"])


def test_images_are_imported(user: User) -> None:
    image, both = make_task("image", modality="Image"), make_task("both", modality="ImageAndText")
    assert _run(_sent(image, user, f"image,expected_label\n{picture()},1\n")).added == 1
    row = _run(
        _sent(
            both, user, f"text,image_0,image_1,kind\nsee ##{{image_0}},{picture()},,falsePositive\nnone,,,falsePositive"
        )
    )
    assert (row.added, row.refused) == (2, 0)


SECRET = "S3CR3T"


@pytest.mark.parametrize(
    ("row", "column", "word"),
    [
        (f"{SECRET},7", "expected_label", "no label"),
        (f"{SECRET}", "", "1 cells"),
        (f"{SECRET},0,more", "", "3 cells"),
        (",0", "text", "empty"),
        (f"{SECRET}\0,0", "", "NUL"),
        (f'"{SECRET}"x,0', "", "quote"),
        (f"{SECRET}é,0".encode("latin-1"), "text", "UTF-8"),
        (f"{SECRET}" + "x" * 200_001 + ",0", "text", "at most"),
        (f'"{SECRET}', "", "quote"),
    ],
)
def test_a_row_is_refused_with_its_place_and_reason_and_without_its_content(
    task: Task, user: User, row: str | bytes, column: str, word: str
) -> None:
    raw = row.encode() if isinstance(row, str) else row
    found = _run(_sent(task, user, b"text,expected_label\nfine,0\n" + raw + b"\n"))
    assert (found.state, found.added, found.refused) == ("finished", 1, 1)
    (fault,) = found.faults
    assert (fault["row"], fault["column"]) == (3, column)
    assert word in fault["reason"]
    assert SECRET not in json.dumps(found.faults)
    assert SECRET not in json.dumps([*AuditEvent.objects.values_list("data", flat=True)])


@pytest.mark.parametrize(
    ("line", "word"),
    [
        ("{", "no JSON"),
        ("[1]", "no JSON object"),
        ("[" * 5000, "no JSON"),
        ('{"text": "a", "expected_label": 1}', "texts"),
        ('{"text": "a", "kind": "falsePositive", "tags": 5}', "list of texts"),
        ('{"text": "a", "kind": "falsePositive", "other": 5}', "not known"),
        ('{"text": "a", "content": {"text": "b"}, "kind": "falsePositive"}', "either"),
        ('{"text": ["a"], "kind": "falsePositive"}', "missing"),
        ('{"text": "a\\u0000", "kind": "falsePositive"}', "NUL"),
        ('{"text": "\\ud800", "kind": "falsePositive"}', "no JSON"),
    ],
)
def test_a_line_of_json_is_refused_with_its_reason(task: Task, user: User, line: str, word: str) -> None:
    found = _run(_sent(task, user, line, name="a.jsonl"))
    assert (found.added, found.refused) == (0, 1)
    assert word in found.faults[0]["reason"]


@pytest.mark.parametrize(
    ("image", "word"),
    [("=HYPERLINK(1)", "base64"), ("bm8gaW1hZ2U=", "no image"), ("", "missing"), (picture()[:40], "")],
)
def test_what_is_no_image_is_refused(user: User, image: str, word: str) -> None:
    found = _run(_sent(make_task(modality="Image"), user, f"image,expected_label\n{image},1\n"))
    assert (found.added, found.refused) == (0, 1)
    assert word in found.faults[0]["reason"]


def test_formulas_are_texts_like_others(task: Task, user: User) -> None:
    _run(_sent(task, user, "text,expected_label\n\"=cmd|'/C calc'!A0\",0\n"))
    assert _texts(task) == ["=cmd|'/C calc'!A0"]


def test_a_cell_beyond_all_measure_is_refused_and_the_rest_is_read(
    task: Task, user: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("mop.dsat.rows.LINE_BYTES_MAX", 2 * PART_BYTES)
    data = "text,expected_label\n" + "x" * (5 * PART_BYTES) + ",0\nfine,0\n"
    found = _run(_sent(task, user, data))
    assert (found.added, found.refused, _texts(task)) == (1, 1, ["fine"])


@pytest.mark.parametrize(
    ("data", "name", "word"),
    [
        (b"text,expected_label\n", "cases.xlsx", "must end with"),
        (b"", "cases.csv", "0 bytes"),
        ("text,expected_label\n".encode("utf-16"), "cases.csv", "UTF-8"),
        ("text,expected_label\n".encode("utf-16-le"), "cases.csv", "UTF-16"),
        (b"my secret,expected_label\n", "cases.csv", "Unknown: column 1"),
        (b"text,text,kind\n", "cases.csv", "twice"),
        (b"expected_label\n", "cases.csv", "text is missing"),
        (b"text\n", "cases.csv", "expected_label or kind"),
    ],
)
def test_a_file_that_can_not_be_read_at_all_is_refused_at_once(
    task: Task, user: User, data: bytes, name: str, word: str
) -> None:
    with pytest.raises(ValidationFailedError, match=word) as refused:
        _sent(task, user, data, name=name)
    assert "secret" not in refused.value.message
    assert not Import.objects.exists()


def test_a_file_that_is_sent_again_adds_what_was_deleted_and_nothing_else(task: Task, user: User) -> None:
    data = "text,expected_label\n" + "".join(f"text {number},0\n" for number in range(5))
    _run(_sent(task, user, data))
    delete_case(actor=ACTOR, case=Case.objects.latest("id"))
    again = _run(_sent(task, user, data))
    assert (again.added, again.known, Case.objects.count()) == (1, 4, 5)
    assert _run(_sent(task, make_user(), data)).added == 5


def test_the_file_is_gone_when_the_import_ended(task: Task, user: User) -> None:
    row = _sent(task, user, "text,expected_label\na,0\n")
    assert ImportPart.objects.exists()
    _run(row)
    assert not ImportPart.objects.exists()
    waiting = _sent(task, user, "text,expected_label\nb,0\n")
    cancel_import(actor=ACTOR, row=waiting)
    assert not ImportPart.objects.exists()
    with pytest.raises(StaleAttemptError), ReadAhead() as ahead:
        import_chunk(str(waiting.pk), ahead)
    with pytest.raises(ConflictError):
        cancel_import(actor=ACTOR, row=waiting)


def test_only_started_imports_wait_for_a_worker_and_uploads_that_never_came_go(task: Task, user: User) -> None:
    from django.utils import timezone  # noqa: PLC0415 - beside its only use

    upload = importing.begin_import(actor=ACTOR, user=user, task=task, file_name="a.csv", size=5)
    started = _sent(task, user, "text,kind\na,falsePositive\n")
    assert list(waiting_imports(timezone.now())) == [started]
    with pytest.raises(ConflictError, match="0 of 1 parts"):
        importing.start_import(actor=ACTOR, row=upload)
    with pytest.raises(ValidationFailedError, match="5 bytes, not 3"):
        importing.put_part(row=upload, number=0, data=b"abc")
    Import.objects.filter(pk=upload.pk).update(created_at=timezone.now() - timezone.timedelta(hours=25))
    assert forget_uploads() == 1


class _KilledError(Exception):
    """Stands for kill -9: nothing catches it, and the transaction is rolled back."""


@pytest.fixture
def killed(monkeypatch: pytest.MonkeyPatch) -> Iterator[set[str]]:
    """Failpoints at which the process dies the next time."""
    armed: set[str] = set()

    def hit(name: str) -> None:
        if name in armed:
            armed.discard(name)
            raise _KilledError

    monkeypatch.setattr(failpoints, "hit", hit)
    return armed


@pytest.mark.parametrize("place", ["before dsat chunk", "after dsat chunk", "before dsat import finished"])
def test_every_row_is_one_case_wherever_the_worker_dies(
    task: Task,
    user: User,
    killed: set[str],
    monkeypatch: pytest.MonkeyPatch,
    place: str,
    django_capture_on_commit_callbacks: Any,
) -> None:
    monkeypatch.setattr(importing, "CHUNK_ROWS", 10)
    data = "text,expected_label\n" + "".join(f"text {n},{'9' if n % 7 == 0 else '0'}\n" for n in range(35))
    row = _sent(task, user, data)
    claim(str(row.pk), "host")
    for _ in range(3):
        killed.add(place)
        try:
            with django_capture_on_commit_callbacks(execute=True), ReadAhead() as ahead:
                import_chunk(str(row.pk), ahead)
        except (_KilledError, StaleAttemptError):
            pass
    killed.clear()
    row.refresh_from_db()
    if row.state != "finished":
        import_now(row.pk)
    row.refresh_from_db()
    assert (row.state, row.rows, row.added, row.refused, row.known) == ("finished", 35, 30, 5, 0)
    assert len(_texts(task)) == len(set(_texts(task))) == 30
    assert [fault["row"] for fault in row.faults] == [2, 9, 16, 23, 30]
    assert CaseTerm.objects.values("case").distinct().count() == 30


def test_a_chunk_that_could_not_be_stored_is_read_again_and_nothing_is_left_out(
    task: Task, user: User, killed: set[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The database may end a transaction after the next chunk was read ahead; the same worker goes on."""
    monkeypatch.setattr(importing, "CHUNK_ROWS", 10)
    row = _sent(task, user, "text,expected_label\n" + "".join(f"text {n},0\n" for n in range(35)))
    claim(str(row.pk), "host")
    with ReadAhead() as ahead:
        assert not import_chunk(str(row.pk), ahead)
        for _ in range(2):
            killed.add("before dsat chunk")
            with pytest.raises(_KilledError):
                import_chunk(str(row.pk), ahead)
        while not import_chunk(str(row.pk), ahead):
            pass
    row.refresh_from_db()
    assert (row.state, row.rows, row.added) == ("finished", 35, 35)
    assert _texts(task) == [f"text {n}" for n in range(35)]


@pytest.mark.parametrize(("rows", "times"), [(10, 0), (11, 1)])
def test_postgresql_looks_at_the_tables_again_after_a_large_import(
    task: Task, user: User, monkeypatch: pytest.MonkeyPatch, rows: int, times: int
) -> None:
    monkeypatch.setattr(importing, "CHUNK_ROWS", 10)
    with CaptureQueriesContext(connection) as queries:
        _run(_sent(task, user, "text,expected_label\n" + "text,0\n" * rows))
    asked = [one["sql"] for one in queries if one["sql"].startswith("ANALYZE")]
    assert len(asked) == (times if connection.vendor == "postgresql" else 0)


def test_lines_are_found_over_the_borders_of_parts_from_any_place(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("mop.dsat.rows.PART_BYTES", 7)
    chosen = random.Random(5)  # noqa: S311 - no secret
    data = b"".join(b"x" * chosen.randrange(0, 20) + b"\n" for _ in range(60)) + b"end"
    lines = Lines(lambda number: data[number * 7 : number * 7 + 7], 0)
    read, places = [], []
    for line in lines:
        read.append(line)
        places.append(lines.offset)
    assert read == data.splitlines(keepends=True)
    for number, place in enumerate(places):
        assert list(Lines(lambda part: data[part * 7 : part * 7 + 7], place)) == read[number + 1 :]


def test_a_file_that_the_csv_module_wrote_is_read_as_it_was(task: Task, user: User) -> None:
    chosen = random.Random(3)  # noqa: S311 - no secret
    texts = ["".join(chosen.choices("ab ,;\"\n\r\t'é漢", k=30)) + "." for _ in range(200)]
    file = io.StringIO()
    writer = csv.writer(file)
    writer.writerow(["text", "expected_label"])
    writer.writerows([text, "0"] for text in texts)
    assert _run(_sent(task, user, file.getvalue())).added == 200
    assert [text.replace("\r", "\n") for text in _texts(task)] == [text.replace("\r", "\n") for text in texts]
