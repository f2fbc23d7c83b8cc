"""`python -m mop.cli` is `mop`."""

from __future__ import annotations

from mop.cli.main import main

main()
