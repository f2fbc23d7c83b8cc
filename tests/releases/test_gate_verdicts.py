"""Whether conditions hold: every combination of parts, against a plain reading of the rules."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mop.releases.gates.conditions import Cut, EvaluationMeasure, FindingsMeasure, LoadMeasure, LoadOption, Rate, Unit
from mop.releases.gates.parser import parse
from mop.releases.gates.verdicts import (
    Measured,
    Missing,
    Place,
    Reading,
    Result,
    Step,
    Verdict,
    judge,
    verdict_of_all,
)
from mop.releases.presentation import shown_value
from mop_client.cli.gate import _number as terminal_number

NOT_RUN = Missing("The evaluation did not finish.", Step.EVALUATION)
NO_CASES = Missing("There are no cases.", is_nothing=True)
NO_PREVIOUS = Missing("There is no previous release.", is_nothing=True)
LEVELS = ("0", "1", "2", "3")
CUTS = tuple(Cut(LEVELS[:place], LEVELS[place:]) for place in range(1, 4))


@dataclass
class Known:
    """Evidence that stands in a table."""

    metrics: Mapping[Place, Reading] = field(default_factory=dict)
    loads: dict[LoadOption, Reading] = field(default_factory=dict)
    rates: dict[Rate, Reading] = field(default_factory=dict)
    open_findings: Reading = NOT_RUN
    approved: Sequence[str] = ()
    ordinal: bool = False
    ratio: Reading = NO_PREVIOUS

    def datasets(self) -> Sequence[str]:
        return self.approved

    def cuts(self) -> Sequence[Cut]:
        return CUTS if self.ordinal else ()

    def metric(self, place: Place, measure: EvaluationMeasure, *, to_previous: bool) -> Reading:
        assert measure.metric
        return self.ratio if to_previous else self.metrics[place]

    def load(self, option: LoadOption, measure: LoadMeasure, *, to_previous: bool) -> Reading | None:
        assert measure.quantity
        return self.ratio if to_previous else self.loads.get(option)

    def rate(self, rate: Rate, *, to_previous: bool) -> Reading:
        return self.ratio if to_previous else self.rates[rate]

    def findings(self, measure: FindingsMeasure) -> Reading:
        assert measure.least is None
        return self.open_findings


def _judge(text: str, evidence: Known) -> Verdict:
    (condition,) = parse(text)
    return judge(condition, evidence)


_READINGS = st.one_of(
    st.just(NOT_RUN),
    st.builds(Measured, st.floats(0, 1)),
    st.builds(lambda value, half: Measured(value, value - half, value + half), st.floats(0, 1), st.floats(0, 0.2)),
)


def _plain(reading: Reading) -> str:
    """What `>= 0.5` makes of a value, written out."""
    if not isinstance(reading, Measured):
        return "not measured"
    if reading.value < 0.5:
        return "fail"
    if reading.low is not None and reading.high is not None and reading.low <= 0.5 <= reading.high:
        return "pass, close"
    return "pass"


def _plain_all(results: list[str]) -> str:
    if any(result == "fail" for result in results):
        return "fail"
    if not results or any(result == "not measured" for result in results):
        return "not measured"
    return "pass" if all(result == "pass" for result in results) else "pass, close"


def _plain_any(results: list[str]) -> str:
    if any(result == "pass" for result in results):
        return "pass"
    if any(result == "pass, close" for result in results):
        return "pass, close"
    return "fail" if results and all(result == "fail" for result in results) else "not measured"


@given(
    st.lists(st.lists(_READINGS, min_size=3, max_size=3), max_size=4),
    st.sampled_from(["any dataset", "all datasets"]),
    st.sampled_from(["any partition", "all partitions"]),
)
def test_quantifiers_mean_what_a_plain_reading_says(table: list[list[Reading]], datasets: str, partitions: str) -> None:
    names = [f"d{number}" for number in range(len(table))]
    metrics = {
        Place(name, cut): reading
        for name, row in zip(names, table, strict=True)
        for cut, reading in zip(CUTS, row, strict=True)
    }
    evidence = Known(metrics=metrics, approved=names, ordinal=True)
    of_cuts = _plain_any if partitions.startswith("any") else _plain_all
    of_datasets = _plain_any if datasets.startswith("any") else _plain_all
    expected = of_datasets([of_cuts([_plain(reading) for reading in row]) for row in table])

    verdict = _judge(f"{datasets}, {partitions}: macro F1 >= 0.5", evidence)

    assert verdict.result == expected
    assert len(verdict.parts) == 3 * len(table)
    # one that could not be measured never turns a fail or a missing value into a pass
    if verdict.result.holds and datasets.startswith("all"):
        assert all(any(not isinstance(reading, Missing) for reading in row) for row in table)


@pytest.mark.parametrize("datasets", ["any dataset", "all datasets"])
def test_over_no_dataset_nothing_holds_unless_none_is_allowed(datasets: str) -> None:
    assert _judge(f"{datasets}: macro F1 >= 0.5", Known()).result is Result.NOT_MEASURED
    excused = _judge(f"{datasets}: macro F1 >= 0.5 or none", Known())
    assert excused.result is Result.PASS
    assert "no approved dataset" in excused.why


def test_none_excuses_what_is_not_there_and_not_what_was_not_measured() -> None:
    evidence = Known(rates={Rate.DSAT: NO_CASES, Rate.GOLDEN_SET: NOT_RUN})
    assert _judge("DSAT pass rate >= 95 %", evidence).result is Result.NOT_MEASURED
    assert _judge("DSAT pass rate >= 95 % or none", evidence).result is Result.PASS
    assert _judge("golden set pass rate >= 95 % or none", evidence).result is Result.NOT_MEASURED
    ratio = "all datasets: macro F1 >= 0.98 times the previous release"
    first = Known(approved=["d"], metrics={Place("d"): Measured(0.9)})
    assert _judge(ratio, first).result is Result.NOT_MEASURED
    assert _judge(f"{ratio} or none", first).result is Result.PASS
    later = Known(approved=["d"], ratio=Measured(0.97, 0.95, 0.99))
    assert _judge(f"{ratio} or none", later).result is Result.FAIL


def test_what_a_gate_names_wrongly_is_not_excused() -> None:
    evidence = Known(approved=["d"], metrics={Place("d"): Measured(0.9)})
    for text in (
        'dataset "gone": macro F1 >= 0.5 or none',
        "all datasets, all partitions: macro F1 >= 0.5 or none",
    ):
        verdict = _judge(text, evidence)
        assert verdict.result is Result.NOT_MEASURED
        assert verdict.why
    ordinal = Known(approved=["d"], ordinal=True)
    assert "no partition" in _judge("all datasets, partition 0 | 1, 2: macro F1 >= 0.5 or none", ordinal).why


def test_one_dataset_and_one_partition_are_read_alone() -> None:
    evidence = Known(
        approved=["a", "b"],
        ordinal=True,
        metrics={Place(name, cut): Measured(0.1) for name in "ab" for cut in CUTS}
        | {Place("b", CUTS[1]): Measured(0.9)},
    )
    verdict = _judge('dataset "b", partition 0,1 | 2,3: recall of label 1 >= 0.5', evidence)
    assert (verdict.result, [part.where for part in verdict.parts]) == (Result.PASS, ["b, 0,1 | 2,3"])


def test_of_load_tests_those_that_were_run_count() -> None:
    text = "load test: actual RPS >= 100"
    one = Known(loads={LoadOption.PER_CONCURRENCY: Measured(120)})
    assert _judge(text, one).result is Result.PASS
    slow = Known(loads={LoadOption.PER_CONCURRENCY: Measured(90)})
    assert _judge(text, slow).result is Result.FAIL
    both = Known(loads={LoadOption.PER_CONCURRENCY: Measured(90), LoadOption.PER_RPS: Measured(110)})
    assert _judge(text, both).result is Result.PASS
    assert _judge("load test PerConcurrency: actual RPS >= 100", both).result is Result.FAIL
    none = _judge("load test PerRPS: actual RPS >= 100", one)
    assert none.result is Result.NOT_MEASURED
    (part,) = none.parts
    assert isinstance(part.reading, Missing)
    assert part.reading.step is Step.LOAD_TEST


@pytest.mark.parametrize(
    ("comparison", "value", "expected"),
    [
        (">= 95 %", Measured(19 / 20), Result.PASS),
        ("> 95 %", Measured(19 / 20), Result.FAIL),
        (">= 95 %", Measured(0.96, 0.92, 0.98), Result.CLOSE),
        ("in [90 %, 97 %]", Measured(0.96, 0.92, 0.98), Result.CLOSE),
        ("in [90 %, 99 %]", Measured(0.96, 0.92, 0.98), Result.PASS),
        ("in [97 %, 99 %]", Measured(0.96, 0.92, 0.98), Result.FAIL),
        ("<= 96 %", Measured(0.96), Result.PASS),
        ("< 96 %", Measured(0.96), Result.FAIL),
        (">= 95 %", NOT_RUN, Result.NOT_MEASURED),
    ],
)
def test_a_value_is_compared(comparison: str, value: Reading, expected: Result) -> None:
    assert _judge(f"DSAT pass rate {comparison}", Known(rates={Rate.DSAT: value})).result is expected


def test_a_gate_holds_when_all_its_conditions_hold() -> None:
    evidence = Known(rates={Rate.DSAT: Measured(0.9), Rate.GOLDEN_SET: NOT_RUN}, open_findings=Measured(0))
    passing, failing, missing = (
        _judge(text, evidence)
        for text in ("open findings <= 3", "DSAT pass rate >= 95 %", "golden set pass rate >= 95 %")
    )
    assert verdict_of_all([]) is Result.PASS
    assert verdict_of_all([passing]) is Result.PASS
    assert verdict_of_all([passing, missing]) is Result.NOT_MEASURED
    assert verdict_of_all([passing, missing, failing]) is Result.FAIL


@pytest.mark.parametrize("unit", Unit)
def test_the_terminal_writes_measured_values_as_the_portal_does(unit: Unit) -> None:
    scale = {Unit.SHARE: 1, Unit.RATE: 1, Unit.RATIO: 2, Unit.PERCENT: 100}.get(unit, 54_321)
    for part in (0, 1, 0.05, 0.94736842, 0.99999, 0.123456):
        value = float(round(part * scale)) if unit is Unit.COUNT else part * scale
        assert terminal_number(value, unit.name.lower()) == shown_value(value, unit)
