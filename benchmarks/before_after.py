"""Another benchmark of this folder, run in an earlier checkout and in this one in turn, and the ratio of every figure.

    git worktree add ../before REVISION && (cd ../before && make .venv/.dev)
    .venv/bin/python benchmarks/before_after.py ../before serving.py --rounds 5 -- --only near-zero modes --seconds 1

Each round runs the benchmark once in each checkout, with the Python of that checkout's .venv, in alternating order. A
figure is every number that the benchmark writes with --json; a list or a spread counts with its median. Printed are the
ratios after / before within each round: median (least..greatest). The benchmarks must write the same names.
"""

from __future__ import annotations

import argparse
import dataclasses
import json
import re
import statistics
import subprocess
import sys
import tempfile
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from service_report import Spread

HERE = Path(__file__).parents[1]
NAMING = ("name", "model", "stack", "mode", "clients", "workers", "kind")
SPREAD = {one.name for one in dataclasses.fields(Spread)}


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("before", type=Path, help="a checkout of the earlier revision, with its .venv")
    parser.add_argument("script", help="a script of benchmarks/ that takes --json")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--match", default="", help="only figures whose name has this regular expression")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write all ratios there")
    parser.epilog = "What stands behind -- are the arguments of the script."
    # argparse gives what follows `--` to the first positional argument that takes several
    end = sys.argv.index("--") if "--" in sys.argv else len(sys.argv)
    options, given = parser.parse_args(sys.argv[1:end]), sys.argv[end + 1 :]
    ratios: dict[str, list[float]] = defaultdict(list)
    for number in range(options.rounds):
        order = (options.before, HERE) if number % 2 == 0 else (HERE, options.before)
        found = {checkout: run(checkout, options.script, given) for checkout in order}
        before, after = found[options.before], found[HERE]
        for name in before.keys() & after.keys():
            if before[name]:
                ratios[name].append(after[name] / before[name])
    shown = {name: values for name, values in sorted(ratios.items()) if re.search(options.match, name)}
    for name, values in shown.items():
        print(f"{Spread.of(values)}  {name}")
    if options.json:
        options.json.write_text(json.dumps(shown, indent=1), encoding="utf-8")
    return 0 if shown else 1


def run(checkout: Path, script: str, arguments: list[str]) -> dict[str, float]:
    """Every figure of one run of the benchmark in that checkout, by name."""
    with tempfile.NamedTemporaryFile(suffix=".json") as file:
        argv = [checkout.resolve() / ".venv/bin/python", f"benchmarks/{script}", *arguments, "--json", file.name]
        # an aim that is missed ends some of them with 1; one that broke writes no figures
        subprocess.run(argv, cwd=checkout, check=False, stdout=subprocess.DEVNULL)
        written = Path(file.name).read_text(encoding="utf-8")
        if not written:
            sys.exit(f"{script} wrote no figures in {checkout}")
        return {name: value for name, value in figures(json.loads(written)) if not name.startswith("options")}


def figures(value: Any, name: str = "") -> Iterator[tuple[str, float]]:
    """The numbers in a JSON document, each under the path that leads to it."""
    if isinstance(value, bool) or value is None or isinstance(value, str):
        return
    if isinstance(value, int | float):
        yield name, float(value)
    elif isinstance(value, dict) and value.keys() == SPREAD:
        yield name, float(value["median"])
    elif isinstance(value, dict):
        for key, inner in value.items():
            yield from figures(inner, f"{name} / {key}" if name else key)
    elif value and all(isinstance(one, int | float) for one in value):
        yield name, statistics.median(value)
    else:
        for place, inner in enumerate(value):
            yield from figures(inner, f"{name} / {_named(inner, place)}")


def _named(value: Any, place: int) -> str:
    """What an entry of a list is called: by what it says of itself, else by its place."""
    said = [f"{key} {value[key]}" for key in NAMING if key in value] if isinstance(value, dict) else []
    return ", ".join(said) or str(place)


if __name__ == "__main__":
    raise SystemExit(main())
