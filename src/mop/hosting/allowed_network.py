"""The network of a model whose version an administrator allowed some hosts: a way to these, and to nothing else."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from mop.environments import allowed_host
from mop.environments.index_proxy import IndexProxy, Words, index_proxy
from mop.errors import SandboxUnavailableError
from mop.hosting.tools import HostTools
from mop.sandbox import Mount

WORDS = Words("the model", "reaches", "no host that an administrator allowed this version")
# the first is OpenSSL's own, the other that of the requests library, which brings certificates of its own
_CERTIFICATE_VARIABLES = ("SSL_CERT_FILE", "REQUESTS_CA_BUNDLE")


@dataclass(frozen=True)
class AllowedNetwork:
    """What a model's job needs to reach its hosts."""

    proxy: IndexProxy
    certificates: Path | None

    def forwarded(self, python: Path, argv: Sequence[str]) -> tuple[str, ...]:
        """The model process beside a forwarder to the proxy."""
        return self.proxy.forwarded(python, argv)

    @property
    def mounts(self) -> tuple[Mount, ...]:
        """The forwarder, the proxy's socket, and the certificates that hosts are checked by."""
        paths = (*self.proxy.needs, *([self.certificates] if self.certificates else []))
        return tuple(Mount(path, str(path)) for path in paths)

    @property
    def environment(self) -> dict[str, str]:
        """Where libraries find the certificates; the forwarder adds HTTPS_PROXY."""
        return dict.fromkeys(_CERTIFICATE_VARIABLES, str(self.certificates)) if self.certificates else {}


@contextlib.asynccontextmanager
async def allowed_network(
    hosts: Sequence[str], *, tools: HostTools, log: Callable[[str], None]
) -> AsyncIterator[AllowedNetwork | None]:
    """A proxy to these hosts while the block runs; None, and no network at all, when there are none.

    Raises:
        SandboxUnavailableError: in this cage a model cannot be held to some hosts.
    """
    if not hosts:
        yield None
        return
    if not tools.sandbox.own_network:
        raise SandboxUnavailableError(
            f"This version may reach {', '.join(hosts)}, but sandbox level {int(tools.sandbox.level)} of this host "
            "can hold no model to some hosts: it has no network of its own.",
            hint="Give the host level 1 or 2 (`mop doctor` says how), or let an administrator take the hosts away.",
        )
    log(f"an administrator allows this version to reach {', '.join(hosts)}")
    async with index_proxy(
        [allowed_host(host) for host in hosts],
        tools.network_folder,
        prepare_writable=tools.prepare_writable,
        log=log,
        words=WORDS,
    ) as proxy:
        yield AllowedNetwork(proxy, tools.environments.certificates)
