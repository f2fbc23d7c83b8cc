"""An OSV service on this machine, and advisories whose meaning is known because it was chosen first.

A world has packages with versions in an order that is written down, not computed: an advisory is a set of places in it.
Its record is made from these places in one of the ways in which OSV lets them be said.
"""

from __future__ import annotations

import json
import random
import threading
import zipfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from mop.advisories.selectors import osv_service

# within one minor release, as PEP 440 orders them
_STEPS = ("{0}.dev1", "{0}a1", "{0}b2", "{0}rc1", "{0}", "{0}.post1", "{0}.1", "{0}.2.dev3", "{0}.2")
_RELEASES = ("0.1", "0.9", "0.10", "1.0", "1.9", "1.10", "2.0", "10.0", "2024.1", "1!0.1", "1!2.0")


def ordered_versions(dice: random.Random, count: int) -> list[str]:
    """So many versions, the lowest first, each in its normal form."""
    every = [step.format(release) for release in _RELEASES for step in _STEPS]
    return [every[place] for place in sorted(dice.sample(range(len(every)), count))]


@dataclass(frozen=True)
class World:
    """Packages, records, and what is true of them.

    Attributes:
        versions: of each package, the lowest first.
        records: by identifier.
        truth: identifiers of the records that hold, by package and version.
    """

    versions: Mapping[str, Sequence[str]]
    records: Mapping[str, dict[str, Any]]
    truth: Mapping[tuple[str, str], frozenset[str]]

    def named(self, name: str, version: str) -> list[str]:
        """What a service names for a version: what holds, and what was withdrawn of it."""
        return sorted(self.truth.get((name, version), ()))


def make_world(
    seed: int, *, packages: int = 3, versions: int = 14, advisories: int = 8, repositories: bool = True
) -> World:
    """A world by its number; with `repositories` its records also speak of repositories that have no package."""
    dice = random.Random(seed)  # noqa: S311 - the same number, the same world
    known = {f"package-{number}": ordered_versions(dice, versions) for number in range(packages)}
    records, truth = {}, {(name, version): set[str]() for name, some in known.items() for version in some}
    for number in range(advisories):
        name = dice.choice(sorted(known))
        places = _places(dice, versions)
        identifier = f"{dice.choice(('GHSA', 'PYSEC', 'OSV'))}-{seed}-{number}"
        records[identifier] = record(
            identifier,
            affected=[
                _affected(dice, name, known[name], places),
                *_distractions(dice, name, repositories=repositories),
            ],
            aliases=[f"CVE-2026-{seed}-{number}"] if dice.random() < 0.5 else [],
            withdrawn="2026-02-01T00:00:00Z" if dice.random() < 0.15 else None,
        )
        for place in places:
            truth[name, known[name][place]].add(identifier)
    return World(known, records, {key: frozenset(held) for key, held in truth.items()})


def record(identifier: str, *, affected: list[dict[str, Any]], **more: Any) -> dict[str, Any]:
    """A record of the schema; what is None is left out."""
    value = {
        "schema_version": "1.6.0",
        "id": identifier,
        "modified": "2026-01-02T03:04:05.678901234Z",
        "published": "2026-01-01T00:00:00Z",
        "summary": f"what {identifier} tells",
        "affected": affected,
        **more,
    }
    return {key: one for key, one in value.items() if one is not None}


def affects(name: str, *events: dict[str, str], versions: Sequence[str] = (), **more: Any) -> dict[str, Any]:
    """What a record says of a PyPI package, with at most one range."""
    ranges = [{"type": "ECOSYSTEM", "events": list(events)}] if events else []
    return {
        "package": {"ecosystem": "PyPI", "name": name, "purl": f"pkg:pypi/{name}"},
        "ranges": ranges,
        "versions": list(versions),
        **more,
    }


def write_export(file: Path, records: Sequence[dict[str, Any]]) -> Path:
    """An export as OSV makes them: one member for each record."""
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        for one in records:
            archive.writestr(f"{one['id']}.json", json.dumps(one))
    return file


def _places(dice: random.Random, count: int) -> list[int]:
    """Places of one to three runs that do not touch."""
    runs = dice.randint(1, 3)
    edges = sorted(dice.sample(range(count + 1), 2 * runs))
    return [place for start, end in zip(edges[::2], edges[1::2], strict=True) for place in range(start, end)]


def _affected(dice: random.Random, name: str, versions: Sequence[str], places: Sequence[int]) -> dict[str, Any]:
    written = name.replace("-", dice.choice("-_.")).title() if dice.random() < 0.5 else name
    if dice.random() < 0.25:
        listed = [_respelled(dice, versions[place]) for place in places]
        dice.shuffle(listed)
        return affects(written, versions=listed)
    ranges = [_range(dice, versions, run) for run in _runs(places)]
    if dice.random() < 0.5:  # all in one range, in no order
        events = [event for one in ranges for event in one]
        dice.shuffle(events)
        ranges = [events]
    git = [{"type": "GIT", "repo": "https://example.org/x", "events": [{"introduced": "0"}, {"fixed": "a" * 40}]}]
    return affects(written) | {
        "ranges": [*git, *({"type": "ECOSYSTEM", "events": events} for events in ranges)],
    }


def _runs(places: Sequence[int]) -> list[tuple[int, int]]:
    """First and last of each run."""
    starts = [place for place in places if place - 1 not in places]
    ends = [place for place in places if place + 1 not in places]
    return list(zip(starts, ends, strict=True))


def _range(dice: random.Random, versions: Sequence[str], run: tuple[int, int]) -> list[dict[str, str]]:
    first, last = run
    start = {"introduced": "0" if first == 0 and dice.random() < 0.8 else _respelled(dice, versions[first])}
    if last == len(versions) - 1 and dice.random() < 0.5:
        return [start]
    if last == len(versions) - 1 or dice.random() < 0.3:
        return [start, {"last_affected": _respelled(dice, versions[last])}]
    return [start, {"fixed": _respelled(dice, versions[last + 1])}]


def _respelled(dice: random.Random, version: str) -> str:
    """The same version, perhaps not in its normal form."""
    if dice.random() < 0.7:
        return version
    return dice.choice(
        (f"v{version}", version.replace("rc", "-RC."), version.replace(".post", "-post"), f" {version} ")
    )


def _distractions(dice: random.Random, name: str, *, repositories: bool) -> Iterator[dict[str, Any]]:
    """What says nothing of the PyPI package."""
    everything = [{"type": "ECOSYSTEM", "events": [{"introduced": "0"}]}]
    if dice.random() < 0.3:
        yield {"package": {"ecosystem": "npm", "name": name}, "ranges": everything}
    if dice.random() < 0.3:
        yield affects(f"{name}-more", {"introduced": "0"})
    if repositories and dice.random() < 0.2:
        yield {"ranges": [{"type": "GIT", "repo": "https://example.org/x", "events": [{"introduced": "0"}]}]}


@dataclass
class Osv:
    """A running service.

    Attributes:
        world: what it tells.
        url: its address.
        requests: method and path of each request, in order.
        page: advisories of one package in a page of a batch's answer; 0 for all.
        answer: status, headers and body in place of what it would say, for requests that it is given for.
    """

    world: World
    url: str = ""
    requests: list[str] = field(default_factory=list)
    page: int = 0
    answer: Callable[[str], tuple[int, dict[str, str], bytes] | None] = lambda _request: None

    def query(self, asked: dict[str, Any]) -> dict[str, Any]:
        """What `/v1/query` answers."""
        found = self.world.named(asked["package"]["name"], asked["version"])
        return {"vulns": [self.world.records[one] for one in found]} if found else {}

    def batch(self, asked: dict[str, Any]) -> dict[str, Any]:
        """One result of `/v1/querybatch`."""
        found = self.world.named(asked["package"]["name"], asked["version"])
        start = int(asked.get("page_token") or 0)
        end = start + (self.page or len(found))
        some = [{"id": one, "modified": self.world.records[one]["modified"]} for one in found[start:end]]
        result: dict[str, Any] = {"vulns": some} if some else {}
        return result | ({"next_page_token": str(end)} if end < len(found) else {})


@contextmanager
def osv(world: World) -> Iterator[Osv]:
    """An OSV service that knows a world; what MOP remembers of others is forgotten."""
    service = Osv(world)
    osv_service.cache_clear()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        wbufsize = 64 * 1024  # head and body in one packet: two of them wait for each other 40 ms

        def do_POST(self) -> None:
            asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            if self.path == "/v1/query":
                self._say(service.query(asked))
            elif self.path == "/v1/querybatch":
                self._say({"results": [service.batch(one) for one in asked["queries"]]})
            else:
                self._say(None)

        def do_GET(self) -> None:
            self._say(service.world.records.get(self.path.removeprefix("/v1/vulns/")))

        def _say(self, value: dict[str, Any] | None) -> None:
            request = f"{self.command} {self.path}"
            service.requests.append(request)
            status, headers, body = service.answer(request) or (
                404 if value is None else 200,
                {},
                json.dumps(value or {}).encode(),
            )
            self.send_response(status)
            for name, text in ({"Content-Length": str(len(body))} | headers).items():
                self.send_header(name, text)
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_arguments: object) -> None:
            """Nothing: tests look at `requests`."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    service.url = f"http://127.0.0.1:{server.server_port}"
    try:
        yield service
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
