"""A model card in sections of text, facts and tables: what page, Markdown and HTML write, each in its own form."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from dataclasses import dataclass

from mop.releases.cards.document import Card, CardLoadTest, CardResult, Number

NOT_STATED = "Not stated."
NOTHING = "\N{EN DASH}"
_GIB = 1 << 30

Rows = tuple[tuple[str, ...], ...]


@dataclass(frozen=True)
class Table:
    """Rows below a head.

    Attributes:
        numeric: places of the columns that hold numbers.
    """

    caption: str
    head: tuple[str, ...]
    rows: Rows
    numeric: frozenset[int] = frozenset()


@dataclass(frozen=True)
class Section:
    """One part of the card.

    Attributes:
        anchor: names it in addresses.
        texts: paragraphs.
        facts: names and values.
        owners_text: the field of the model that holds `texts`, which owners write; empty where evidence does.
    """

    anchor: str
    title: str
    texts: tuple[str, ...] = ()
    facts: tuple[tuple[str, str], ...] = ()
    tables: tuple[Table, ...] = ()
    owners_text: str = ""


def sections_of(card: Card) -> tuple[Section, ...]:
    """The sections of a card; those that have nothing to say are left out."""
    return tuple(
        section
        for section in (
            Section("intended-use", "Intended use", (card.intended_use or NOT_STATED,), owners_text="intended_use"),
            Section("limits", "Limits", (card.limits or NOT_STATED,), owners_text="limits"),
            _tasks(card),
            _data(card),
            _results(card),
            _load(card),
            _cases(card),
            _findings(card),
            _versions(card),
            _origin(card),
        )
        if section is not None
    )


def _tasks(card: Card) -> Section:
    rows = tuple(
        (one.taxonomy, one.task, one.modality, one.label_type, ", ".join(one.labels), one.customized_name)
        for one in card.tasks
    )
    head = ("Taxonomy", "Task", "Modality", "Label type", "Labels", "Name in the output")
    return Section("tasks", "What it decides", tables=(Table("", head, rows),))


def _data(card: Card) -> Section:
    if not card.datasets:
        return Section("data", "Data it was judged on", ("It was not measured on any dataset yet.",))
    rows = tuple(
        (
            one.name,
            one.description,
            one.label_type,
            one.language or NOTHING,
            _count(one.rows),
            ", ".join(f"{label} {count:,}" for label, count in one.labels) or "withheld",
        )
        for one in card.datasets
    )
    head = ("Dataset", "Description", "Label type", "Language", "Rows", "Rows by label")
    texts = ("The data is hidden: no one reads its rows or labels back through MOP.",)
    return Section("data", "Data it was judged on", texts, tables=(Table("", head, rows, frozenset({4})),))


def _results(card: Card) -> Section | None:
    if not card.results:
        return None
    rows = tuple(
        (
            one.dataset,
            one.task,
            one.headline.name,
            *_measured(one.headline),
            _count(one.rows),
            _count(one.no_answer),
            moment(one.measured_at) + (", stale" if one.is_stale else ""),
        )
        for one in card.results
    )
    head = ("Dataset", "Task", "Metric", "Value", "95 % interval", "Rows", "No answer", "Measured")
    tables = [Table("One number for each dataset", head, rows, frozenset({3, 5, 6}))]
    for one in card.results:
        tables += _result(one)
    text = (
        "Rows without an answer count as wrong. An interval holds the true value with 95 % confidence. "
        "Slices of few rows are withheld, with whatever would let them be computed."
    )
    return Section("results", "Results", (text,), tables=tuple(tables))


def _result(result: CardResult) -> Iterator[Table]:
    of = f"{result.dataset}, task {result.task}" + (f", partition {result.partition}" if result.partition else "")
    metrics: Rows = tuple((one.name, *_measured(one)) for one in result.metrics)
    yield Table(f"Metrics on {of}", ("Metric", "Value", "95 % interval"), metrics, frozenset({1}))
    labels: Rows = tuple(
        (one.label, _count(one.support), *(_with_interval(number) for number in (one.precision, one.recall, one.f1)))
        for one in result.labels
    )
    head = ("Label", "Rows", "Precision", "Recall", "F1")
    yield Table(f"By label on {of}", head, labels, frozenset({1, 2, 3, 4}))
    if not result.slices:
        return
    slices: Rows = tuple(
        (one.column, one.value, _count(one.rows), *_measured(one.number), "")
        if one.number is not None
        else (one.column, one.value, NOTHING, NOTHING, NOTHING, f"withheld: {one.withheld}")
        for one in result.slices
    )
    named = next((one.number.name for one in result.slices if one.number is not None), "Value")
    columns = ("Column", "Slice", "Rows", named, "95 % interval", "Note")
    yield Table(f"Slices of {of}", columns, slices, frozenset({2, 3}))


def _load(card: Card) -> Section | None:
    if not card.load_tests:
        return None
    return Section("load", "Load", tables=tuple(map(_load_test, card.load_tests)))


def _load_test(test: CardLoadTest) -> Table:
    given = [test.instance_type]
    if test.cpus is not None:
        given.append(f"{test.cpus:g} vCPU")
    if test.memory_bytes is not None:
        given.append(f"{test.memory_bytes / _GIB:.3g} GiB")
    rows = tuple(
        (
            str(step.target),
            f"{step.rps:.1f}",
            *(_decimal(value) for value in (step.p50, step.p95, step.p99)),
            f"{step.failed:,} of {step.requests:,}",
            *(_decimal(value, " %") for value in (step.cpu, step.memory)),
            "" if step.is_trusted else "not trusted: it may have measured the generator",
        )
        for step in test.steps
    )
    what = "Clients" if test.option == "PerConcurrency" else "Target RPS"
    head = (what, "RPS", "P50 ms", "P95 ms", "P99 ms", "Failed requests", "CPU", "Memory", "Note")
    caption = f"{test.modality}, {test.option}, on {', '.join(given)}; {moment(test.ended_at)}"
    return Table(caption, head, rows, frozenset({0, 1, 2, 3, 4, 6, 7}))


def _cases(card: Card) -> Section | None:
    if not card.rates:
        return None
    rows = tuple((one.what, one.task, f"{(one.rate.value or 0):.1%}", _ends(one.rate), one.of) for one in card.rates)
    head = ("What", "Task", "Passed", "95 % interval", "Of")
    return Section("cases", "Reported cases and golden sets", tables=(Table("", head, rows, frozenset({2})),))


def _findings(card: Card) -> Section:
    scan = card.findings
    if scan is None:
        return Section("findings", "Security findings", ("It was not scanned yet.",))
    counts = ", ".join(f"{count:,} {severity}" for severity, count in scan.severities if count) or "none"
    facts = (
        ("Scanned", moment(scan.scanned_at)),
        ("Decision of the policy", scan.decision),
        ("Findings", counts + (f"; {scan.waived:,} waived" if scan.waived else "")),
        ("Files", ", ".join(f"{count:,} {verdict.replace('_', ' ')}" for verdict, count in scan.verdicts) or "none"),
        ("Environment", "scanned" if scan.is_complete else "not scanned"),
    )
    tables: tuple[Table, ...] = ()
    if scan.items:
        rows = tuple(
            (one.severity, one.rule, one.path, one.message, "waived" if one.is_waived else "") for one in scan.items
        )
        tables = (Table("", ("Severity", "Rule", "Place", "Message", "Note"), rows),)
    return Section("findings", "Security findings", facts=facts, tables=tables)


def _versions(card: Card) -> Section:
    rows = tuple(
        (one.version, moment(one.created_at), one.status, one.publish_status, one.note) for one in card.versions
    )
    head = ("Version", "Created", "Status", "Publish status", "Note")
    return Section("versions", "Versions of the model", tables=(Table("", head, rows),))


def _origin(card: Card) -> Section:
    size = "" if card.artifact_bytes is None else f", {card.artifact_files:,} files, {card.artifact_bytes:,} bytes"
    facts = (
        ("Description", card.description or NOTHING),
        ("Team", card.team),
        ("Owners", ", ".join(card.owners)),
        *((("Tags", ", ".join(card.tags)),) if card.tags else ()),
        ("Status", f"{card.status}, {card.publish_status}"),
        ("Created", f"{moment(card.created_at)} by {card.created_by}"),
        ("Version note", card.note or NOTHING),
        ("Revision id", card.revision_id),
        ("Artifact", (card.artifact_digest or "none") + size),
        ("Environment", f"Python {card.python_version}, {_count(card.packages)} packages, {card.environment_key}")
        if card.environment_key
        else ("Environment", "not built"),
        ("Card made by", f"MOP {card.made_by}"),
    )
    return Section("origin", "Version and origin", facts=facts)


def moment(iso: str) -> str:
    """A time for people, in UTC."""
    return f"{dt.datetime.fromisoformat(iso).astimezone(dt.UTC):%Y-%m-%d %H:%M} UTC" if iso else NOTHING


def _measured(number: Number) -> tuple[str, str]:
    return ("undefined" if number.value is None else f"{number.value:.4f}", _ends(number))


def _ends(number: Number) -> str:
    return NOTHING if number.low is None or number.high is None else f"{number.low:.4f} to {number.high:.4f}"


def _with_interval(number: Number) -> str:
    value, ends = _measured(number)
    return value if ends == NOTHING else f"{value} ({ends})"


def _count(count: int | None) -> str:
    return NOTHING if count is None else f"{count:,}"


def _decimal(value: float | None, unit: str = "") -> str:
    return NOTHING if value is None else f"{value:.1f}{unit}"
