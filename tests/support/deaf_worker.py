"""`python -m support.deaf_worker`: a worker whose engine does not look for cancelled work; what ends, MOP ended."""

from __future__ import annotations

import dbos._core

from mop.worker.__main__ import main

if __name__ == "__main__":
    assert dbos._core._PREEMPTIBLE_POLL_INTERVAL_SEC == 1.0
    dbos._core._PREEMPTIBLE_POLL_INTERVAL_SEC = 3600.0
    main()
