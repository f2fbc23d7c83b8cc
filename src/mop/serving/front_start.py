"""What a front does first, whichever server it runs: read its configuration, and make room for its connections."""

from __future__ import annotations

import resource
import signal
import sys

import orjson

from mop.serving.config import ServiceConfig
from mop.serving.lease import read_first_line

BACKLOG = 2048
OTHER_DESCRIPTORS = 256


def begin() -> ServiceConfig:
    """The configuration, from the first line of standard input, which stays open as the lease."""
    signal.signal(signal.SIGPIPE, signal.SIG_IGN)
    signal.pthread_sigmask(signal.SIG_SETMASK, ())  # the parent may have blocked the signals that end us
    line, rest = read_first_line(0)
    config = ServiceConfig.from_dict(orjson.loads(line))
    allow_descriptors(2 * config.max_connections + OTHER_DESCRIPTORS)
    if rest:
        sys.stderr.write("front: unexpected input after the configuration\n")
    return config


def allow_descriptors(count: int) -> None:
    """As many as the connections need, if the host allows them; the usual soft limit is 1,024."""
    now, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(now, min(most, count)), most))


def announcement(address: str) -> str:
    """The line that tells the owner where the service listens."""
    return orjson.dumps({"event": "listening", "address": address}).decode()
