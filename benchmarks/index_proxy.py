"""What the index proxy costs a build: the same installation through it and over the host's network, in turn.

    .venv/bin/python benchmarks/index_proxy.py [--pairs 7] [--packages 40] [--megabytes 100] [--json FILE]

An index on the loopback, in a process of its own, offers many small wheels and one large one. Each round installs all
of them into a new environment with an empty cache, in the cage of this host: once through the proxy, once with the
host's network, which of them first changes by turns. Compiling and starting the environment is part of both. Claim: the
median of the ratios is below 1.2 on a machine that does nothing else.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import functools
import http.server
import json
import multiprocessing
import os
import statistics
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT / "tests"))

from environments.packages import pip_wheel, wheel, write  # noqa: E402 - the harness of the tests
from mop.environments import ensure_environment  # noqa: E402

PYTHON = "{}.{}".format(*sys.version_info[:2])
MOST = 1.2


class Quiet(http.server.SimpleHTTPRequestHandler):
    """Serves a folder; the listing of a package's folder is its page in the index."""

    def log_message(self, *_: object) -> None:
        """Say nothing."""


def serve(folder: Path, port: multiprocessing.Queue[int]) -> None:
    """Be the index."""
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Quiet, directory=str(folder)))
    port.put(server.server_port)
    server.serve_forever()


@contextlib.contextmanager
def running_index(folder: Path) -> Iterator[str]:
    """The url of an index over this folder."""
    context = multiprocessing.get_context("spawn")
    port: multiprocessing.Queue[int] = context.Queue()
    process = context.Process(target=serve, args=(folder, port), daemon=True)
    process.start()
    try:
        yield f"http://127.0.0.1:{port.get(timeout=30)}/"
    finally:
        process.terminate()
        process.join()


def make_packages(folder: Path, *, packages: int, megabytes: int) -> list[str]:
    """Write the wheels; returns their names."""
    names = [f"small{number}" for number in range(packages)]
    for name in names:
        write(folder / name, wheel(name, "1.0"))
    # random text of one byte a character, which no compression makes smaller on its way
    write(folder / "large", wheel("large", "1.0", files={"large.txt": os.urandom(megabytes * 500_000).hex()}))
    write(folder / "pip", pip_wheel())
    return [*names, "large"]


async def build(home: Path, url: str, names: list[str], *, proxied: bool) -> float:
    """Seconds of one build from nothing."""
    from mop.hosting.tools import open_host_tools  # noqa: PLC0415 - needs the settings that main makes

    tools = open_host_tools()
    with tempfile.TemporaryDirectory(dir=home) as folder:
        src = Path(folder) / "src"
        src.mkdir()
        (src / "settings.yml").write_text(f"env:\n  python: {PYTHON}\n  pip: 24.0\n", encoding="utf-8")
        (src / "requirements.txt").write_text("\n".join(names), encoding="utf-8")
        config = replace(tools.environments, root=Path(folder) / "environments", index_url=url)
        if not proxied:
            config = replace(config, proxy_folder=None)
        began = time.perf_counter()
        await ensure_environment(
            src,
            None,
            config=config,
            cage=tools.cage,
            prepare_writable=tools.prepare_writable,
            log=lambda _line: None,
        )
        return time.perf_counter() - began


def main() -> int:
    """Run the pairs; returns 1 if the claim does not hold."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pairs", type=int, default=7)
    parser.add_argument("--packages", type=int, default=40)
    parser.add_argument("--megabytes", type=int, default=100)
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="mop-") as folder:
        home = Path(folder)
        os.environ |= {"MOP_HOME": str(home / "home"), "DJANGO_SETTINGS_MODULE": "mop.conf.settings"}
        names = make_packages(home / "index", packages=options.packages, megabytes=options.megabytes)
        seconds: dict[bool, list[float]] = {True: [], False: []}
        with running_index(home / "index") as url:
            asyncio.run(build(home, url, names, proxied=True))  # warms what both share
            for pair in range(options.pairs):
                for proxied in (bool(pair % 2), not pair % 2):
                    seconds[proxied].append(asyncio.run(build(home, url, names, proxied=proxied)))
    ratios = [one / other for one, other in zip(seconds[True], seconds[False], strict=True)]
    ratio = statistics.median(ratios)
    for name, proxied in (("through the proxy", True), ("the host's network", False)):
        found = seconds[proxied]
        print(f"{name:<20} {statistics.median(found):6.2f} s  ({min(found):.2f} to {max(found):.2f})")
    print(f"ratio                {ratio:6.2f}    ({min(ratios):.2f} to {max(ratios):.2f}), claimed below {MOST}")
    if options.json:
        options.json.write_text(json.dumps({"seconds": {str(k): v for k, v in seconds.items()}, "ratios": ratios}))
    return int(ratio >= MOST)


if __name__ == "__main__":
    sys.exit(main())
