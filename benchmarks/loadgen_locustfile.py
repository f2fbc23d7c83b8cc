"""Locust's fastest user, asking for `/` without a pause; the figures of its run go to the file in LOADGEN_RESULT.

Only the time between the start and the end of the test counts, not that of starting locust.
"""

from __future__ import annotations

import json
import os
import time
from pathlib import Path

from locust import FastHttpUser, events, task

begun = {}


class Client(FastHttpUser):
    """One client of a closed loop."""

    @task
    def ask(self) -> None:
        """One request."""
        self.client.get("/")


@events.test_start.add_listener
def start(**_about: object) -> None:
    begun["cpu"] = time.process_time()


@events.test_stop.add_listener
def stop(environment: object, **_about: object) -> None:
    total = environment.stats.total  # type: ignore[attr-defined]  # locust's Environment
    figures = {
        "requests": total.num_requests,
        "failures": total.num_failures,
        "cpu_s": time.process_time() - begun["cpu"],
    }
    Path(os.environ["LOADGEN_RESULT"]).write_text(json.dumps(figures))
