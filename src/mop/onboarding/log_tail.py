"""The end of a revision's log: which log it is, its last lines, and how it goes on."""

from __future__ import annotations

import datetime as dt
import re
from dataclasses import dataclass
from typing import Any

from django.urls import reverse

from mop.onboarding.models import LogKind
from mop.onboarding.selectors import log_end
from mop.registry.models import Revision
from mop.registry.statuses import CHAIN, RevisionStatus
from mop.ui.fragments import Live

_FAULT = re.compile(r"Traceback \(most recent call last\)|^\s*(\w+\.)*\w*(Error|Exception)\b|\bERROR\b")
_WARNING = re.compile(r"\bwarning\b|\w+Warning\b", re.IGNORECASE)
CARD_LINES = 60
LAST = 2**31 - 1


@dataclass(frozen=True)
class ShownLine:
    """A line of a log, its text cut where the search matches: plain and matching pieces take turns."""

    number: int
    at: dt.datetime
    pieces: list[str]

    @property
    def look(self) -> str:
        """How it stands out: bad for a fault, warn for a warning, empty for any other line."""
        text = "".join(self.pieces)
        if _FAULT.search(text):
            return "bad"
        return "warn" if _WARNING.search(text) else ""


def log_card_context(revision: Revision) -> dict[str, Any]:
    """What the card beside a revision's Details shows. The card asks which log is written now; its tail for lines."""
    kinds = _current_kinds(revision)
    is_live = revision.get_status().is_live
    lines = log_end(revision, kinds, CARD_LINES)
    kind = LogKind(lines[-1].kind) if lines else kinds[0]
    last = lines[-1].number if lines else 0
    return {
        "revision": revision,
        "model": revision.model,
        "kind": kind,
        "other": LogKind.BUILD if kind is LogKind.DEPLOYMENT else LogKind.DEPLOYMENT,
        "lines": [ShownLine(line.number, line.at, [line.text]) for line in lines],
        "last": last,
        "log_url": reverse("onboarding:log", args=[revision.model.name, revision.version, kind.value]),
        "card": Live(
            id="log-card",
            url=reverse("onboarding:live_card", args=[revision.model.name, revision.version]),
            seconds=3,
            is_final=not is_live,
            state=[kind.value, revision.attempt, is_live],
            result="onboarding/components/log_body.html",
        ),
        "live": tail_of(revision, kind, last, is_final=not is_live),
    }


def _current_kinds(revision: Revision) -> list[LogKind]:
    """The log that is written now; of a version that ended both, of which the deployment log was written last."""
    status = revision.get_status()
    if status not in CHAIN:
        return [LogKind.BUILD, LogKind.DEPLOYMENT]
    is_built = CHAIN.index(status) >= CHAIN.index(RevisionStatus.ENDPOINT_CREATED)
    return [LogKind.DEPLOYMENT if is_built else LogKind.BUILD]


def tail_of(revision: Revision, kind: LogKind, last: int, *, is_final: bool) -> Live:
    """The end of a log, which asks for the lines after its last one."""
    url = reverse("onboarding:tail", args=[revision.model.name, revision.version, kind.value])
    return Live(id="tail", url=url, query=f"after={last}", seconds=2, is_final=is_final, state=last)
