"""What one onboarding takes, by stage, beside a virtual environment made by hand with pip.

    .venv/bin/python benchmarks/onboarding.py [--rounds 5] [--cold 1] [--json FILE]

A real installation (portal and worker, embedded database, sandbox) onboards the text sample again and again:

    cold       nothing is cached: a new installation, an empty package cache
    rebuilt    the packages are in uv's cache, the environment is made anew
    unchanged  the environment stands, as for every later version of a model

Between them, in the same run, `python -m venv`, the pip that settings.yml asks for and the same requirements, with an
empty and a full cache of pip's; and the model alone, started and asked by a bare script of its environment's Python.
Each figure is the median of its rounds with the lowest and the highest. MOP's own overhead is everything between
`created` and `verified` but building the environment, the model's own start and its answers.

Claims: an unchanged environment costs nothing, a warm start is `verified` within 15 s, the overhead is under 1.5 s.
"""

from __future__ import annotations

import argparse
import contextlib
import datetime as dt
import json
import os
import re
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT / "tests"))

from mop.environments import build_mop_utils_wheel, choose_interpreter, find_interpreters, read_settings  # noqa: E402
from mop.environments.build_area import remove  # noqa: E402
from mop.onboarding.probes import probes_for  # noqa: E402
from support.installation import CHAIN, Installation, running_installation  # noqa: E402

SAMPLE = ROOT / "samples" / "text-moderation"
PYTHONS = (Path.home() / ".pyenv" / "versions", Path("/usr/local/bin"), Path("/usr/bin"))
WARM_SECONDS, OVERHEAD_SECONDS, UNCHANGED_SECONDS = 15.0, 1.5, 0.05
PATIENCE_SECONDS = 900.0
BUILT = re.compile(r"(?:built|reused) in ([\d.]+) s")
READY = re.compile(r"ready after ([\d.]+) s")

# Runs in the model's environment: what the model costs without MOP.
BARE = """
import importlib, json, sys, time
began = time.perf_counter()
src, model, items = sys.argv[1], sys.argv[2], json.load(sys.stdin)
sys.path.insert(0, src)
from mop_utils.base_model_wrapper import BaseModelWrapper, MopInferenceInput
module = importlib.import_module("inference")
kind = next(value for value in vars(module).values() if isinstance(value, type)
            and issubclass(value, BaseModelWrapper) and value.__module__ == "inference")
wrapper = kind()
wrapper.init(model)
ready = time.perf_counter()
inputs = [wrapper.convert_mop_input_to_model_input(MopInferenceInput(**item)) for item in items]
for one in inputs:
    wrapper.convert_model_output_to_mop_output(wrapper.inference(one))
for output in wrapper.inference_batch(inputs):
    wrapper.convert_model_output_to_mop_output(output)
print(json.dumps({"answers": time.perf_counter() - ready}))
"""

Figures = dict[str, list[float]]


def main() -> None:
    """Run all rounds, print the figures; ends with 1 when a claim does not hold."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=5, help="warm rounds of each installation")
    parser.add_argument("--cold", type=int, default=1, help="new installations")
    parser.add_argument("--json", type=Path)
    arguments = parser.parse_args()
    figures: Figures = defaultdict(list)
    for number in range(arguments.cold):
        with running_installation(interpreter_folders="") as mop, by_hand(SAMPLE) as pip:
            mop.start_worker()
            run_rounds(mop, pip, SAMPLE, arguments.rounds, figures, first=number)
    report(figures)
    if arguments.json:
        arguments.json.write_text(json.dumps(figures, indent=1), encoding="utf-8")
    raise SystemExit(0 if all(holds for _, holds in claims(figures)) else 1)


def run_rounds(mop: Installation, pip: ByHand, folder: Path, rounds: int, figures: Figures, *, first: int) -> None:
    """One installation: a cold round, then warm ones; the order of the rivals alternates."""
    steps = [lambda: onboard(mop, folder, "cold", figures), lambda: pip.install("cold", figures)]
    for step in steps if first % 2 == 0 else reversed(steps):
        step()
    for number in range(rounds):
        remove_environments(mop)
        steps = [
            lambda: onboard(mop, folder, "rebuilt", figures),
            lambda: pip.install("rebuilt", figures),
            lambda: onboard(mop, folder, "unchanged", figures),
            lambda: run_bare(mop, folder, figures),
        ]
        # the environment must stand before it is found unchanged
        for place in (0, 1, 2, 3) if number % 2 == 0 else (1, 0, 3, 2):
            steps[place]()


def onboard(mop: Installation, folder: Path, kind: str, figures: Figures) -> None:
    """One model from its submission to `verified`, with what each stage took."""
    copy = mop.folders / f"model-{time.monotonic_ns()}"
    shutil.copytree(folder, copy)
    # another content, so that the snapshot and the unpacked folder are new ones
    (copy / "model" / "round.txt").write_text(copy.name, encoding="utf-8")
    revision = mop.submit(
        copy, connections=[{"task": "profanity", "customized_name": "profanity"}], load_test_option="off"
    )
    mop.wait(revision, "verified", seconds=PATIENCE_SECONDS)
    events = mop.call("GET", f"{revision.path}/events")["items"]
    assert [event["status"] for event in events] == list(CHAIN)
    times = [dt.datetime.fromisoformat(event["at"]).timestamp() for event in events]
    for place, event in enumerate(events[1:], 1):
        figures[f"{kind}: until {event['status']}"].append(times[place] - times[place - 1])
    total = times[-1] - times[0]
    built, ready = seconds_of(BUILT, events), seconds_of(READY, events)
    figures[f"{kind}: environment"].append(built)
    figures[f"{kind}: model ready"].append(ready)
    figures[f"{kind}: verified after"].append(total)
    figures[f"{kind}: all but environment and model start"].append(total - built - ready)


def seconds_of(pattern: re.Pattern[str], events: list[dict[str, Any]]) -> float:
    """The seconds that an event's text tells."""
    return next(float(found[1]) for event in events if (found := pattern.search(event["detail"])))


def remove_environments(mop: Installation) -> None:
    """Remove the finished environments; uv's cache stays."""
    for environment in (mop.root / "home" / "environments" / "envs").iterdir():
        remove(environment)


def run_bare(mop: Installation, folder: Path, figures: Figures) -> None:
    """The model without MOP: its start, and its answers to what the contract check asks."""
    python = next((mop.root / "home" / "environments" / "envs").glob("*/venv/bin/python"))
    items = json.dumps([probe.item for probe in probes_for("Text")])
    began = time.perf_counter()
    told = subprocess.run(
        [python, "-I", "-B", "-c", BARE, folder / "src", folder / "model"],
        input=items,
        check=True,
        stdout=subprocess.PIPE,
        text=True,
    ).stdout
    seconds = time.perf_counter() - began
    answers = float(json.loads(told.splitlines()[-1])["answers"])
    figures["model alone: start"].append(seconds - answers)
    figures["model alone: answers"].append(answers)


class ByHand:
    """The same environment as people make it: venv, that pip, the requirements."""

    def __init__(self, folder: Path, place: Path) -> None:
        self._folder = folder
        self._place = place
        self._wheels = place / "wheels"
        self._settings = read_settings((folder / "src" / "settings.yml").read_bytes())
        self._python = choose_interpreter(self._settings.python, find_interpreters(PYTHONS)).interpreter.path
        build_mop_utils_wheel(self._wheels)

    def install(self, kind: str, figures: Figures) -> None:
        """Make it once; the first time pip's cache is empty."""
        environment = self._place / "venv"
        shutil.rmtree(environment, ignore_errors=True)
        variables = os.environ | {"PIP_CACHE_DIR": str(self._place / "cache"), "PIP_DISABLE_PIP_VERSION_CHECK": "1"}
        pip = [str(environment / "bin" / "python"), "-m", "pip", "install", "-qq"]
        began = time.perf_counter()
        for argv in (
            [str(self._python), "-m", "venv", str(environment)],
            [*pip, f"pip=={self._settings.pip}"],
            [*pip, "--find-links", str(self._wheels), "-r", str(self._folder / "src" / "requirements.txt")],
        ):
            subprocess.run(argv, check=True, env=variables, stdout=subprocess.DEVNULL)
        figures[f"{kind}: venv and pip by hand"].append(time.perf_counter() - began)


@contextlib.contextmanager
def by_hand(folder: Path) -> Iterator[ByHand]:
    """A rival with a cache of its own, empty at first."""
    with tempfile.TemporaryDirectory(prefix="mop-pip-") as place:
        yield ByHand(folder, Path(place))


def overheads(figures: Figures, kind: str) -> list[float]:
    """MOP's own part: everything but the environment, the model's start in its cage, and the model's answers."""
    answers = statistics.median(figures["model alone: answers"])
    return [value - answers for value in figures[f"{kind}: all but environment and model start"]]


def claims(figures: Figures) -> list[tuple[str, bool]]:
    """Each claim in words, and whether it holds here."""
    unchanged = statistics.median(figures["unchanged: environment"])
    warm = statistics.median(figures["unchanged: verified after"])
    overhead = statistics.median(overheads(figures, "unchanged"))
    return [
        (f"an unchanged environment costs nothing: {unchanged:.2f} s", unchanged <= UNCHANGED_SECONDS),
        (f"a warm start is verified within {WARM_SECONDS:g} s: {warm:.1f} s", warm < WARM_SECONDS),
        (f"MOP's own overhead is under {OVERHEAD_SECONDS:g} s: {overhead:.2f} s", overhead < OVERHEAD_SECONDS),
    ]


def report(figures: Figures) -> None:
    """Print it for people."""
    for name, values in figures.items():
        print(spread(name, values))
    for kind in ("cold", "rebuilt", "unchanged"):
        print(spread(f"{kind}: MOP's own overhead", overheads(figures, kind)))
    for kind in ("cold", "rebuilt"):
        hand, ours = figures[f"{kind}: venv and pip by hand"], figures[f"{kind}: environment"]
        ratios = [theirs / own for theirs, own in zip(hand, ours, strict=True)]
        print(spread(f"{kind}: by hand / ours", ratios, unit="times"))
    for what, holds in claims(figures):
        print(f"{'holds' if holds else 'FAILS'}: {what}")


def spread(name: str, values: list[float], *, unit: str = "s") -> str:
    """Median, lowest and highest of a figure."""
    middle, low, high = statistics.median(values), min(values), max(values)
    return f"{name:<52}{middle:8.2f} {unit}   {low:.2f} to {high:.2f}   n={len(values)}"


if __name__ == "__main__":
    main()
