"""What a model's owner learns of hidden rows by a model made for it: nothing readable, and so many bits by the numbers.

Each attack tries to carry a secret out of one evaluation: a text that stands in the rows. The test looks for it in
everything that the owner can read (API, logs, notifications, audit log, the database's own columns), and prints how
many bits of it came back. A search by numbers that are shown is a channel that stays open; its bound is computed.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterator

import pytest

from support.datasets import text_file
from support.evaluations import (
    approved_dataset,
    document,
    settled,
    submit_small,
    worded_rows,
    words_task,
)
from support.installation import Installation, running_installation
from support.model_folders import write_model

pytestmark = [pytest.mark.sandbox, pytest.mark.second_tier, pytest.mark.xdist_group("evaluation disclosure")]
ROWS = 200
SECRET = "zebra-4711-omega"
COLUMN = "ward-of-the-patient"

# statements of the model's `inference`, each of which runs for every row
ATTACKS = {
    "prints": "print('leak', item['text'], flush=True)",
    "writes to standard error and raises": (
        "import sys; print(item['text'], file=sys.stderr, flush=True)\n"
        "        if 'zebra' in item['text']: raise ValueError('leak ' + item['text'])"
    ),
    "writes files": (
        "import os\n"
        "        for place in ('/tmp/leak', '/dev/shm/leak', 'leak', '../leak'):\n"
        "            try:\n"
        "                open(place, 'a').write(item['text'])\n"
        "            except OSError:\n"
        "                pass"
    ),
    "chooses its exit status": "if 'zebra' in item['text']: os._exit(len(item['text']))",
    "keeps rows for later requests": (
        "kept = getattr(self, 'kept', []); self.kept = kept + [item['text']]\n"
        "        if 'zebra' in item['text']: raise ValueError(str(self.kept))"
    ),
    "encodes rows into time": "time.sleep(0.05 if 'zebra' in item['text'] else 0)",
}


@pytest.fixture(scope="module")
def mop() -> Iterator[Installation]:
    with running_installation(evaluation_start_seconds=1) as mop:
        mop.start_worker()
        words_task(mop)
        rows = [[text, label, "a" if place % 2 else "b"] for place, (text, label) in enumerate(worded_rows(ROWS))]
        rows[77][0] = f"the hidden text {SECRET} good"
        rows[78][2] = COLUMN  # the name of a group of one row
        content = text_file(rows, ("text", "hate", "group"))
        approved_dataset(mop, "hidden", content, group_columns=["group"])
        yield mop


@pytest.mark.parametrize("attack", ATTACKS)
def test_nothing_that_a_model_writes_comes_back(mop: Installation, attack: str, capsys: pytest.CaptureFixture[str]):
    name = f"attack-{list(ATTACKS).index(attack)}"
    revision = submit_small(mop, write_model(mop.folders / name, inference=ATTACKS[attack]))
    mop.wait(revision, "verified")
    (one,) = settled(mop, revision.model)
    seen = _everything(mop)
    assert SECRET not in seen
    assert "leak the hidden" not in seen
    bits = _bits_of_errors(one)
    with capsys.disabled():
        print(f"\n{attack}: 0 characters; error counts tell at most {bits:.1f} bits")  # noqa: T201 - the figure
    assert bits <= math.log2(ROWS + 1) * 3


def test_scores_that_encode_rows_come_back_as_counts_on_a_grid_alone(
    mop: Installation, capsys: pytest.CaptureFixture[str]
):
    """The predicted label is 1 bit a row that the model chooses; what comes back are the sums."""
    encode = "self.code = sum(map(ord, item['text'])) % 997 / 997"
    folder = write_model(mop.folders / "encodes", inference=encode)
    source = folder / "src" / "inference.py"
    text = source.read_text().replace('"no": 1.0 - bad, "yes": float(bad)', '"no": 1.0 - self.code, "yes": self.code')
    source.write_text(text)
    revision = submit_small(mop, folder)
    mop.wait(revision, "verified")
    (one,) = settled(mop, revision.model)
    assert SECRET not in _everything(mop)
    shown = document(mop, one)
    bits = _bits_of_counts(shown)
    with capsys.disabled():
        print(f"\nencodes into scores: all that is shown tells at most {bits:.0f} bits of {ROWS} rows")  # noqa: T201
    assert bits < 101 * 4 * math.log2(ROWS + 1)


def test_a_group_of_one_row_is_in_no_result(mop: Installation):
    revision = submit_small(mop, write_model(mop.folders / "honest"))
    mop.wait(revision, "verified")
    settled(mop, revision.model)
    found = list(mop.rows("SELECT document FROM evaluation_evaluationresult"))
    assert found
    for (text,) in found:
        shown = json.loads(text)
        assert COLUMN not in {part["value"] for part in shown["slices"]}
        # with it goes one more of its column: the rest would be the whole less what is shown
        assert len([part for part in shown["slices"] if part["column"] == "group"]) <= 1


def _bits_of_errors(evaluation: dict[str, object]) -> float:
    counts = json.loads(str(evaluation["error_counts"]))
    return sum(math.log2(ROWS + 1) for _ in counts)


def _bits_of_counts(shown: dict[str, object]) -> float:
    """An upper bound: every count that is shown could be any number up to the rows."""
    cells = sum(len(row) for row in shown["matrix"])
    for part in shown["slices"]:
        cells += sum(len(row) for row in part["matrix"])
    grid = 101 * 2 * len(shown["scores"])
    # places in the grid of so many rows: a multiset, not a number for each place
    multiset = math.log2(math.comb(ROWS + grid - 1, ROWS))
    return multiset + cells * math.log2(ROWS + 1)


def _everything(mop: Installation) -> str:
    """All that owners can read, and more: API, and every table that pages are made of."""
    tables = (
        "evaluation_evaluation",
        "evaluation_evaluationresult",
        "evaluation_measurement",
        "notifications_notification",
        "audit_auditevent",
        "onboarding_logline",
        "registry_revisionevent",
    )
    found = [json.dumps(mop.rows(f"SELECT * FROM {table}"), default=str) for table in tables]  # noqa: S608 - our own names
    found.append(json.dumps(mop.call("GET", "/notifications")))
    found += [path.read_text(errors="replace") for path in mop.root.glob("*.log")]
    return "\n".join(found)
