"""Four claimers at the rows of workers that nothing was heard of; prints how many rows were claimed, and how often."""

from __future__ import annotations

import threading

import django

django.setup()

from django.db import connection  # noqa: E402

from mop.engine.clock import from_now  # noqa: E402
from mop.engine.liveness import Liveness, Pulse  # noqa: E402
from mop.engine.models import Worker  # noqa: E402

ROWS = 30
CLAIMERS = 4


def main() -> None:
    claims: list[bool] = []
    Worker.objects.bulk_create(
        Worker(executor_id=f"worker:race:{number}", name="race", lock="", process="[]", beat_at=from_now(-100.0))
        for number in range(ROWS)
    )
    start = threading.Barrier(CLAIMERS)

    def claim() -> None:
        liveness = Liveness(name="racer", lock="", pulse=Pulse(1.0, 5.0), recover=str, release=str, stop=str)
        start.wait()
        candidates = [Worker.objects.filter(pk=f"worker:race:{number}", lost_at=None) for number in range(ROWS)]
        claims.extend(liveness.claim(candidate) for candidate in candidates)
        connection.close()

    threads = [threading.Thread(target=claim) for _ in range(CLAIMERS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    claimed = Worker.objects.filter(name="race").exclude(lost_at=None)
    print(f"{claimed.count()} rows, {sum(claims)} claims")  # noqa: T201 - the test reads it
    Worker.objects.filter(name="race").delete()


if __name__ == "__main__":
    main()
