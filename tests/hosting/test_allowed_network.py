"""A real model's way out of the cage: none, or the hosts that an administrator allowed its version."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest

from environments.packages import PackageIndex, wheel
from hosting.conftest import SMALL
from mop.environments import Environment
from mop.errors import SandboxUnavailableError
from mop.hosting.allowed_network import WORDS, allowed_network
from mop.hosting.jobs import ServiceSpec
from mop.hosting.preparation import PreparedModel
from mop.hosting.service import model_service
from mop.hosting.structure import check_structure
from mop.hosting.tools import HostTools
from mop.sandbox import SandboxLevel
from storage.certificates import make_server_certificate
from support.model_folders import write_model
from support.small_host import at_level

pytestmark = [pytest.mark.sandbox, pytest.mark.xdist_group("hosting")]

LEVELS = [SandboxLevel.CGROUP, SandboxLevel.RLIMIT]
FILE = "tiny-1.0-py3-none-any.whl"
ASKS = """
import json, os, socket, ssl, urllib.request

def ask(url):
    try:
        return str(len(urllib.request.urlopen(url, timeout=20).read()))
    except OSError as error:
        return "%s: %s" % (type(error).__name__, error)

def straight(port):
    try:
        socket.create_connection(("127.0.0.1", port), 20)
    except OSError as error:
        return type(error).__name__
    return "reached"

def tunnel(first):
    host, port = os.environ["HTTPS_PROXY"].rpartition("/")[2].split(":")
    with socket.create_connection((host, int(port)), 20) as one:
        one.sendall(("CONNECT %s HTTP/1.1\\r\\n\\r\\n" % first).encode())
        answer = one.recv(100).decode().splitlines()[0]
        if " 200 " not in answer:
            return answer
        one.sendall(b"GET / HTTP/1.0\\r\\n\\r\\n")  # no TLS
        return repr(one.recv(100))

def all(orders):
    return [globals()[name](argument) for name, argument in orders]
"""


@dataclass
class Servers:
    """Two servers with TLS on the host; each keeps whose requests it answered."""

    allowed: PackageIndex
    other: PackageIndex

    @staticmethod
    def place(server: PackageIndex) -> str:
        """`host:port`."""
        return server.url.split("/")[2]

    @staticmethod
    def port(server: PackageIndex) -> int:
        return int(server.url.split("/")[2].split(":")[1])


@pytest.fixture(scope="module")
def certificate(root: Path) -> object:
    return make_server_certificate(root)


@pytest.fixture
def servers(certificate) -> Iterator[Servers]:
    pair = Servers(PackageIndex(certificate=certificate), PackageIndex(certificate=certificate))
    for server in (pair.allowed, pair.other):
        server.add(wheel("tiny", "1.0"))
    yield pair
    pair.allowed.close()
    pair.other.close()


@pytest.fixture(params=LEVELS, ids=lambda level: level.name.lower())
def tools(request: pytest.FixtureRequest, built: tuple[HostTools, Environment], root: Path, certificate) -> HostTools:
    try:
        caged = at_level(built[0], request.param, root)
    except SandboxUnavailableError as error:
        if request.param != SandboxLevel.CGROUP:
            raise
        pytest.skip(error.message)
    config = dataclasses.replace(caged.environments, certificates=certificate.ca_file)
    return dataclasses.replace(caged, environments=config)


async def said(
    tools: HostTools, environment: Environment, hosts: Sequence[str], orders: list[tuple[str, object]]
) -> tuple[list[str], list[str]]:
    """What a model of a version with these hosts meets in its init, and the log."""
    folder = write_model(
        tools.folder / "asks", init=f"import asks; self.said = asks.all({orders!r})", inference="return self.said"
    )
    (folder / "src" / "asks.py").write_text(ASKS, encoding="utf-8")
    log: list[str] = []
    spec = ServiceSpec("asks", owner="test", configuration=SMALL, allowed_hosts=tuple(hosts))
    model = PreparedModel(folder, check_structure(folder, wheel_bytes_max=1), environment)
    async with model_service(spec, model, tools=tools, log=log.append) as hosted:
        answer = await hosted.service.score({"text": "a"}, mop=False)
    return answer, log


async def test_a_model_reaches_no_host_of_its_own_accord(
    tools: HostTools, built: tuple[HostTools, Environment], servers: Servers
):
    url = servers.allowed.url.replace("/simple", f"/files/{FILE}")
    answers, _ = await said(tools, built[1], [], [("ask", url), ("straight", servers.port(servers.allowed))])
    assert ["refused" in answers[0], answers[1]] == [True, "ConnectionRefusedError"]
    assert servers.allowed.downloads == []


async def test_an_allowed_host_is_reached_and_no_other(
    tools: HostTools, built: tuple[HostTools, Environment], servers: Servers
):
    place, other = servers.place(servers.allowed), servers.place(servers.other)
    hidden = f"localhost:{servers.port(servers.other)}"
    answers, log = await said(
        tools,
        built[1],
        [place, hidden],
        [
            ("ask", f"https://{place}/files/{FILE}"),
            ("ask", f"https://{other}/files/{FILE}"),
            ("ask", f"https://{hidden}/files/{FILE}"),
            ("ask", f"http://{place}/files/{FILE}"),
            ("tunnel", place),
            ("tunnel", "169.254.169.254:80"),
            ("straight", servers.port(servers.allowed)),
        ],
    )
    assert answers == [
        str(len(wheel("tiny", "1.0")[1])),
        "URLError: <urlopen error Tunnel connection failed: 403 Forbidden>",
        "URLError: <urlopen error Tunnel connection failed: 403 Forbidden>",  # a name that leads to the host itself
        "HTTPError: HTTP Error 403: Forbidden",
        "b''",
        "HTTP/1.1 403 Forbidden",
        "ConnectionRefusedError",
    ]
    assert (servers.allowed.downloads, servers.other.downloads) == ([FILE], [])
    told = [line for line in log if "reach" in line]
    assert told == [
        f"an administrator allows this version to reach {place}, {hidden}",
        f"the model reaches {place}",
        f"the model tried to reach {other}, which is {WORDS.others}; refused",
        f"the model reaches {hidden}",
        f"the model tried to reach {hidden}, a name that leads to no public address; refused",
        f"the model tried to reach {place} in another way than it is reached; refused",
        f"the model tried to reach {place} with something else than TLS; refused",
        f"the model tried to reach 169.254.169.254:80, which is {WORDS.others}; refused",
    ]
    assert [*tools.network_folder.iterdir()] == []  # the proxy ended with the service


async def test_a_level_that_can_hold_no_model_to_some_hosts_says_so(built: tuple[HostTools, Environment], root: Path):
    tools = at_level(built[0], SandboxLevel.LANDLOCK, root)
    with pytest.raises(SandboxUnavailableError, match=r"may reach api\.example, but sandbox level 3") as raised:
        async with allowed_network(["api.example"], tools=tools, log=print):
            raise AssertionError
    assert "level 1 or 2" in raised.value.hint
    async with allowed_network([], tools=tools, log=print) as network:
        assert network is None
