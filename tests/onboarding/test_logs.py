from __future__ import annotations

import asyncio
import time
import uuid
from collections.abc import Callable, Coroutine
from typing import Any

import pytest
from asgiref.sync import async_to_sync, sync_to_async

from mop.onboarding.logs import LINE_CHARACTERS_MAX, LogWriter, SharedLogWriter
from mop.onboarding.models import LogKind, LogLine
from mop.onboarding.selectors import log_page
from mop.registry.models import Revision
from support.factories import make_model

pytestmark = [pytest.mark.django_db, pytest.mark.dialect]


@pytest.fixture
def revision() -> Revision:
    return make_model().revisions.get()


def write(revision_id: uuid.UUID, *lines: str, lines_max: int = 100) -> None:
    async def work(log: LogWriter) -> None:
        for line in lines:
            log(line)

    writing(revision_id, work, lines_max=lines_max)


def writing(
    revision_id: uuid.UUID, work: Callable[[LogWriter], Coroutine[Any, Any, None]], *, lines_max: int = 100
) -> None:
    async def run() -> None:
        async with LogWriter(revision_id, LogKind.BUILD, lines_max=lines_max) as log:
            await work(log)

    async_to_sync(run)()


def stored(revision: Revision) -> list[tuple[int, str]]:
    return list(LogLine.objects.filter(revision=revision).values_list("number", "text"))


def test_lines_are_numbered_from_one_and_a_later_writer_goes_on(revision: Revision):
    write(revision.pk, "one", "two\n", "")
    write(revision.pk, "three")
    assert stored(revision) == [(1, "one"), (2, "two"), (3, ""), (4, "three")]


@pytest.mark.parametrize(
    ("line", "kept"),
    [
        ("\x1b[31mred\x1b[0m and \x1b[1;32mbold", "red and bold"),
        ("a\x00b\x07c\x7f", "abc"),
        ("10 %\r 50 %\r100 %", "100 %"),
        ("done\r\n", "done"),
        ("tab\tstays", "tab\tstays"),
        ("half a pair \ud83d", "half a pair "),
        ("你好 👋", "你好 👋"),
        ("x" * (LINE_CHARACTERS_MAX + 1), "x" * LINE_CHARACTERS_MAX),
        ("two\nlines", "two\nlines"),
    ],
)
def test_what_no_terminal_or_database_should_see_is_left_out(revision: Revision, line: str, kept: str):
    write(revision.pk, line)
    assert stored(revision) == [(1, kept)]


def test_a_full_log_says_so_in_its_last_line_and_stays_full(revision: Revision):
    write(revision.pk, *(str(number) for number in range(9)), lines_max=5)
    write(revision.pk, "another step", lines_max=5)
    assert stored(revision)[:4] == [(number + 1, str(number)) for number in range(4)]
    assert stored(revision)[4:] == [(5, "... the log ends here: 5 lines are kept")]


def test_lines_are_stored_while_work_goes_on(revision: Revision):
    async def work(log: LogWriter) -> None:
        log("early")
        deadline = time.monotonic() + 10
        while not await sync_to_async(stored)(revision):
            assert time.monotonic() < deadline
            await asyncio.sleep(0.02)

    writing(revision.pk, work)
    assert stored(revision) == [(1, "early")]


def test_lines_are_stored_when_the_work_fails(revision: Revision):
    async def work(log: LogWriter) -> None:
        log("last words")
        raise RuntimeError

    with pytest.raises(RuntimeError):
        writing(revision.pk, work)
    assert stored(revision) == [(1, "last words")]


def test_lines_are_stored_when_the_work_is_cancelled(revision: Revision):
    async def work(log: LogWriter) -> None:
        log("last words")
        raise asyncio.CancelledError

    with pytest.raises(asyncio.CancelledError):
        writing(revision.pk, work)
    assert stored(revision) == [(1, "last words")]


@pytest.mark.django_db(transaction=True)
def test_the_log_of_a_deleted_revision_goes_nowhere(revision: Revision):
    async def work(log: LogWriter) -> None:
        await sync_to_async(revision.model.delete)()
        log("into the void")

    writing(revision.pk, work)
    assert not LogLine.objects.exists()


def test_writers_of_one_log_take_turns_and_each_keeps_its_share(revision: Revision):
    async def run() -> None:
        def writer(name: str) -> SharedLogWriter:
            return SharedLogWriter(revision.pk, LogKind.LOAD_TEST, lines_max=3, prefix=f"[{name}] ")

        async with writer("Text") as one, writer("Image") as other:
            for number in range(2):
                one(f"10 %\r{number}")
                other(str(number))
            other("too")
            other("many")
        async with writer("Text") as again:
            again("2")

    async_to_sync(run)()
    lines = stored(revision)
    assert [number for number, _ in lines] == [1, 2, 3, 4, 5, 6]
    assert [text for _, text in lines if text.startswith("[Text]")] == ["[Text] 0", "[Text] 1", "[Text] 2"]
    assert [text for _, text in lines if text.startswith("[Image]")] == ["[Image] 0", "[Image] 1"]
    assert [text for _, text in lines if text.startswith("...")] == ["... the log ends here: 3 lines are kept"]


class TestPages:
    @pytest.fixture(autouse=True)
    def lines(self, revision: Revision) -> None:
        write(revision.pk, *(f"{'Odd' if number % 2 else 'even'} {number}" for number in range(1, 11)))

    def test_a_page_follows_a_line(self, revision: Revision):
        page = log_page(revision, LogKind.BUILD, after=3, limit=4)
        assert [line.number for line in page.lines] == [4, 5, 6, 7]
        assert (page.total, page.has_before, page.has_after) == (10, True, True)

    def test_a_page_goes_before_a_line(self, revision: Revision):
        page = log_page(revision, LogKind.BUILD, before=4, limit=2)
        assert [line.number for line in page.lines] == [2, 3]
        assert (page.has_before, page.has_after) == (True, True)

    def test_the_whole_log_has_nothing_around_it(self, revision: Revision):
        page = log_page(revision, LogKind.BUILD)
        assert (len(page.lines), page.has_before, page.has_after) == (10, False, False)

    def test_after_the_end_is_an_empty_page_with_lines_before(self, revision: Revision):
        page = log_page(revision, LogKind.BUILD, after=10)
        assert (list(page.lines), page.total, page.has_before, page.has_after) == ([], 10, True, False)

    def test_a_search_ignores_case_and_counts_what_it_found(self, revision: Revision):
        page = log_page(revision, LogKind.BUILD, search="oDD", limit=2)
        assert [line.text for line in page.lines] == ["Odd 1", "Odd 3"]
        assert (page.total, page.has_before, page.has_after) == (5, False, True)

    def test_the_other_log_is_apart(self, revision: Revision):
        assert log_page(revision, LogKind.DEPLOYMENT).total == 0
