"""Reads of cases. Everybody signed in sees that a case exists; `reading.py` says who reads its content."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from django.db.models import Exists, F, OuterRef, Q, QuerySet

from mop.catalog.models import Task
from mop.dsat.models import Case, CaseContent, CaseTerm, Comment, ContentGrant, Kind
from mop.dsat.reading import Reader
from mop.dsat.states import WAITING, CaseState
from mop.dsat.terms import NEAR, band_terms, similarity, tag_term, word_term, words_of
from mop.errors import NotFoundError

NUMBER = re.compile(r"(?:DSAT-)?([0-9]{1,18})", re.IGNORECASE)
_BAND_CASES, _SIMILAR_MAX = 50, 10
_JOINED_MAX = 9  # words and a tag that a search walks along together; it looks for others in the cases that these find
_CASES_AT_ONCE = 500


@dataclass(frozen=True, kw_only=True)
class CaseFilter:
    """What a list of cases shows.

    Attributes:
        state: a state; `waiting` for all that need somebody; empty for all.
        assignee: a user name; `nobody`; empty for all.
        search: words of content, description, tags or trace id, all of which must stand there; or the number of a case.
        trace_id: a whole trace id.
        tag: a whole tag.
    """

    task: str = ""
    state: str = ""
    kind: str = ""
    service: str = ""
    assignee: str = ""
    submitter: str = ""
    search: str = ""
    trace_id: str = ""
    tag: str = ""


def cases_for_list(wanted: CaseFilter, reader: Reader) -> tuple[QuerySet[Case], str]:
    """Cases with what a row shows, and the field that puts the newest first.

    What searches content, trace id or tags finds cases alone that the reader may read: that one is found says
    something of what it holds.
    """
    cases = Case.objects.select_related("task", "submitter", "assignee", "fixed_by", "fixed_by__model")
    cases = cases.filter(_facts(wanted))
    if found := NUMBER.fullmatch(wanted.search.strip()):
        cases = cases.filter(pk=int(found[1]))
        wanted = replace(wanted, search="")
    terms = terms_of(wanted)
    if wanted.search.strip() and not terms:
        return cases.none(), "id"
    if wanted.trace_id:  # it may have no word, such as "--"
        cases = cases.filter(reader.readable, trace_id=wanted.trace_id)
    if not terms:
        return cases, "id"
    cases = cases.filter(reader.readable)
    for term in terms[:_JOINED_MAX]:
        cases = cases.filter(terms__term=term)
    for term in terms[_JOINED_MAX:]:
        cases = cases.filter(Exists(CaseTerm.objects.filter(term=term, case=OuterRef("pk"))))
    return cases.annotate(place=F("terms__case_id")), "place"


def terms_of(wanted: CaseFilter) -> list[int]:
    """The terms that a case must have to be found, those first that few cases have."""
    words = words_of(wanted.search) | words_of(wanted.trace_id)
    rare_first = sorted(words, key=len, reverse=True)
    return [*([tag_term(wanted.tag)] if wanted.tag else []), *(word_term(word) for word in rare_first)]


def _facts(wanted: CaseFilter) -> Q:
    condition = Q()
    if wanted.task:
        condition &= Q(task__name=wanted.task)
    if wanted.state == "waiting":
        condition &= Q(state__in=WAITING)
    elif wanted.state:
        condition &= Q(state=wanted.state)
    if wanted.kind:
        condition &= Q(kind=wanted.kind)
    if wanted.service:
        condition &= Q(service=wanted.service)
    if wanted.assignee == "nobody":
        condition &= Q(assignee__isnull=True)
    elif wanted.assignee:
        condition &= Q(assignee__username=wanted.assignee)
    if wanted.submitter:
        condition &= Q(submitter__username=wanted.submitter)
    return condition


def get_case(case_id: int) -> Case:
    """A case by its number, with what its page shows.

    Raises:
        NotFoundError: there is none.
    """
    case = (
        Case.objects.select_related("task", "submitter", "assignee", "fixed_by", "fixed_by__model")
        .prefetch_related("task__owners")
        .filter(pk=case_id)
        .first()
    )
    if case is None:
        raise NotFoundError(f"There is no case DSAT-{case_id}.")
    return case


def reported_case(*, service: str, task: Task, trace_id: str) -> Case | None:
    """The case that a service reported for a task with a trace id, with its task; None where it did not."""
    cases = Case.objects.filter(submitter=None, service=service, task=task, trace_id=trace_id)
    return cases.select_related("task").order_by("id").first()


def cases_of_ids(ids: Sequence[int]) -> QuerySet[Case]:
    """Those of the cases that are there, newest first, with what decides who may do what with them."""
    cases = Case.objects.filter(pk__in=ids).select_related("task", "assignee")
    return cases.prefetch_related("task__owners").order_by("-pk")


def counted(wanted: CaseFilter, reader: Reader, *, most: int) -> int:
    """How many cases a list has; at most `most` are counted."""
    cases, _ = cases_for_list(wanted, reader)
    return cases.order_by()[:most].count()


def case_number(text: str) -> int:
    """The id that `DSAT-12`, `dsat-12` or `12` names.

    Raises:
        NotFoundError: it is no number of a case.
    """
    found = NUMBER.fullmatch(text)
    if found is None:
        raise NotFoundError(f"There is no case {text!r}; a number is written as DSAT-12.")
    return int(found[1])


def content_of(case: Case) -> CaseContent:
    """The content of a case. Ask `reading.py` first; `services.open_content` records who read it.

    Raises:
        NotFoundError: the case is gone.
    """
    content = CaseContent.objects.filter(pk=case.pk).first()
    if content is None:
        raise NotFoundError(f"There is no case {case.number}.")
    return content


def comments_of(case: Case) -> QuerySet[Comment]:
    """What was said about a case, oldest first."""
    return Comment.objects.filter(case=case).select_related("author")


def grants_of(task: Task) -> QuerySet[ContentGrant]:
    """Who may read the content of a task's cases beside its owners."""
    return ContentGrant.objects.filter(task=task).select_related("team", "user")


@dataclass(frozen=True)
class Similar:
    """A near duplicate, and the estimated Jaccard similarity."""

    case: Case
    similarity: float


def similar_cases(case: Case, reader: Reader) -> Sequence[Similar]:
    """Near duplicates of a case among those that the reader may read, the most similar first.

    Each of the 8 bands gives its 50 newest cases, so the number of cases does not matter; who reported one text a
    thousand times sees the newest.
    """
    content = CaseContent.objects.filter(pk=case.pk).first()
    if content is None:
        return []
    found: set[int] = set()
    for term in band_terms(bytes(content.signature)):
        cases = CaseTerm.objects.filter(term=term).exclude(case_id=case.pk).order_by("-case_id")
        found.update(cases.values_list("case_id", flat=True)[:_BAND_CASES])
    others = (
        Case.objects.filter(reader.readable, pk__in=found, content__signature_version=content.signature_version)
        .select_related("content", "task", "submitter")
        .defer("content__body")
    )
    mine = bytes(content.signature)
    compared = [Similar(other, similarity(mine, bytes(other.content.signature))) for other in others]
    near = [one for one in compared if one.similarity >= NEAR]
    return sorted(near, key=lambda one: (-one.similarity, -one.case.pk))[:_SIMILAR_MAX]


@dataclass(frozen=True)
class ReplayedCase:
    """A case as a regression test replays it.

    Attributes:
        id: of the case.
        edition: counts changes of what decides whether a model passes.
        body: one model item as JSON.
        expected_label: a label of the task; empty where `kind` alone is known.
        kind: falsePositive, falseNegative or empty.
        first_label: the task's first label, by convention the harmless one.
    """

    id: int
    edition: int
    body: bytes
    expected_label: str
    kind: str
    first_label: str

    def passes(self, predicted_label: str) -> bool:
        """Whether a predicted label is right.

        Without an expected label a false positive passes with the task's first label, a false negative with any other.
        """
        if self.expected_label:
            return predicted_label == self.expected_label
        return (predicted_label == self.first_label) is (self.kind == Kind.FALSE_POSITIVE)


def replayed(task: Task) -> QuerySet[Case]:
    """The cases that a model of the task is tested on: all but rejected ones."""
    return Case.objects.filter(task=task).exclude(state=CaseState.REJECTED).order_by("id")


def cases_for_regression(task: Task, *, after: int = 0) -> Iterator[ReplayedCase]:
    """The cases of `replayed` with their content, in the order of their ids; a few hundred are held at once.

    Args:
        task: whose cases.
        after: id of the last case that is not wanted; 0 for all.
    """
    first_label = str(task.labels[0])
    while True:
        rows = list(
            replayed(task)
            .filter(id__gt=after, content__isnull=False)
            .values_list("id", "edition", "content__body", "expected_label", "kind")[:_CASES_AT_ONCE]
        )
        for pk, edition, body, expected_label, kind in rows:
            yield ReplayedCase(pk, edition, bytes(body), expected_label, kind, first_label)
        if len(rows) < _CASES_AT_ONCE:
            return
        after = rows[-1][0]
