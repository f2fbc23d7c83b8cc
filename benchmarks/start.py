"""How long MOP takes to start: `mop --help`, and `mop up` to the first page, on a fresh home and on one that stands.

    .venv/bin/python benchmarks/start.py [--runs 3] [--json FILE]

Wall time and processor time of all processes, the best of `--runs`: on a machine that does other things as well the
processor time tells more. Aims: 0.25 s for the help, 8 s to the first page of a fresh home, 3 s where it stands.
"""

from __future__ import annotations

import argparse
import http.client
import json
import os
import resource
import signal
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path

MOP = (sys.executable, "-m", "mop.cli")
PATIENCE_SECONDS = 300.0
AIMS = {"help": 0.25, "fresh": 8.0, "warm": 3.0}


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--json", type=Path, metavar="FILE")
    options = parser.parse_args()
    found: dict[str, list[tuple[float, float]]] = {name: [] for name in AIMS}
    for _ in range(options.runs):
        found["help"].append(_help())
        with tempfile.TemporaryDirectory(prefix="mop-start-") as folder:
            found["fresh"].append(_first_page(Path(folder) / "home"))
            found["warm"].append(_first_page(Path(folder) / "home"))
    best = {
        name: {"wall s": min(wall for wall, _ in all_), "cpu s": min(cpu for _, cpu in all_)}
        for name, all_ in found.items()
    }
    for name, figures in best.items():
        print(f"{name:<6} {figures['wall s']:6.2f} s, processor {figures['cpu s']:6.2f} s, aim {AIMS[name]:g} s")
    if options.json:
        options.json.write_text(json.dumps(best, indent=1), encoding="utf-8")
    return int(any(best[name]["wall s"] > aim for name, aim in AIMS.items()))


def _help() -> tuple[float, float]:
    before, began = _children_cpu(), time.monotonic()
    subprocess.run([*MOP, "--help"], check=True, stdout=subprocess.DEVNULL)
    return time.monotonic() - began, _children_cpu() - before


def _first_page(home: Path) -> tuple[float, float]:
    """Seconds until the page of the sign-in is there, and processor seconds of everything until it ended after that."""
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    environment = {name: value for name, value in os.environ.items() if not name.startswith("MOP_")}
    before, began = _children_cpu(), time.monotonic()
    up = subprocess.Popen(
        [*MOP, "up", "--port", str(port)],
        env=environment | {"MOP_HOME": str(home)},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        while not _answers(port):
            if up.poll() is not None or time.monotonic() - began > PATIENCE_SECONDS:
                raise SystemExit("mop up gave no page")
            time.sleep(0.02)
        wall = time.monotonic() - began
    finally:
        up.send_signal(signal.SIGTERM)
        up.wait()
    return wall, _children_cpu() - before


def _answers(port: int) -> bool:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    try:
        connection.request("GET", "/accounts/login/", headers={"Host": "localhost"})
        return connection.getresponse().status == http.HTTPStatus.OK
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()


def _children_cpu() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


if __name__ == "__main__":
    sys.exit(main())
