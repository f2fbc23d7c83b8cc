from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import pytest

from datasets.made import IMAGE_HEADER, image_row, image_spec, picture, read, table, text_spec
from mop.datasets.reading import Limits, shared_rows, verify
from mop.datasets.reading import digests as module
from mop.datasets.reading.digests import RowDigests

HEAD = ("text", "label")


def texts(*numbers: int) -> bytes:
    return table(HEAD, *((f"text {n}", str(n % 2)) for n in numbers), ("first", "0"), ("last", "1"))


def digest_file(data: bytes, path: Path, *, seed: int = 1) -> Path:
    verify(lambda: io.BytesIO(data), text_spec(), seed=seed, sorted_digests=path)
    return path


def test_rows_that_two_files_share_are_counted_by_their_input(tmp_path: Path):
    one = digest_file(texts(*range(1000)), tmp_path / "one")
    other = digest_file(texts(*range(990, 1500)).replace(b"text 995\t1", b'"text 995"\t0'), tmp_path / "other")
    assert shared_rows(one, other) == shared_rows(other, one) == 10 + 2


def test_the_order_of_rows_and_duplicates_do_not_matter(tmp_path: Path):
    one = digest_file(texts(1, 2, 3), tmp_path / "one")
    assert shared_rows(one, digest_file(texts(3, 3, 2, 1, 1), tmp_path / "other")) == 5


def test_another_seed_gives_other_digests(tmp_path: Path):
    one = digest_file(texts(*range(50)), tmp_path / "one")
    assert shared_rows(one, digest_file(texts(*range(50)), tmp_path / "other", seed=2)) == 0


def test_an_empty_file_shares_nothing(tmp_path: Path):
    one = digest_file(texts(1), tmp_path / "one")
    assert shared_rows(one, digest_file(table(HEAD), tmp_path / "other")) == 0


def test_the_digest_file_is_ascending_and_holds_each_input_once(tmp_path: Path):
    found = np.fromfile(digest_file(texts(1, 2, 2, 3), tmp_path / "one"), dtype="<u8")
    assert len(found) == 5
    assert (found[1:] > found[:-1]).all()


def test_images_are_duplicates_by_their_bytes():
    one, other = picture(8, 6), picture(8, 6, form="BMP")
    rows = [image_row(data, label=label) for data, label in ((one, "0"), (other, "1"), (one, "1"))]
    (warning,) = read(table(IMAGE_HEADER, *rows), image_spec()).warnings
    assert (warning.count, warning.rows) == (1, (4,))


def test_rows_beyond_the_budget_of_disk_are_not_searched():
    data = table(HEAD, *[("the same", "0")] * 5, *[("the same", "1")] * 5)
    report = read(data, text_spec(limits=Limits(digest_bytes=8 * 4)))
    assert report.warnings[0].count == 3
    assert (report.rows, report.rows_searched) == (10, 4)


@pytest.mark.parametrize("part", [5, 17, 64])
def test_parts_of_the_digests_are_searched_as_the_whole(part: int, monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    monkeypatch.setattr(module, "_PART", part)
    generator = np.random.default_rng(3)
    contents = [b"text %d" % n for n in generator.integers(0, 60, size=200)]
    digests = RowDigests(seed=5, budget_bytes=10**6)
    digests.add(digests.of(contents))
    found = digests.finish(places=20, sorted_digests=tmp_path / "digests")
    digests.close()
    expected = [place for place, content in enumerate(contents) if content in contents[:place]]
    assert (found.count, list(found.first)) == (len(expected), expected[:20])
    assert (tmp_path / "digests").stat().st_size == 8 * len(set(contents))


def test_a_million_equal_rows_are_held_once(monkeypatch: pytest.MonkeyPatch):
    digests = RowDigests(seed=5, budget_bytes=10**8)
    for _ in range(100):
        digests.add(digests.of([b"the same"] * 10_000))
    found = digests.finish(places=3)
    digests.close()
    assert (found.count, found.first) == (999_999, (1, 2, 3))
