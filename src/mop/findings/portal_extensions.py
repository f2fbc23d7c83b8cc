"""What a revision's Details show of its scan."""

from __future__ import annotations

from django.http import HttpRequest
from django.template.loader import render_to_string

from mop.accounts.current_user import user_of
from mop.accounts.rules import may
from mop.findings.selectors import SEVERITIES, VERDICTS, scan_and_rescan
from mop.registry.models import Revision
from mop.ui.extensions import LiveSection


def scan_of_revision(request: HttpRequest, revision: Revision) -> LiveSection:
    """The decision, the counts, and the way to the findings for those who may see them."""
    scan, rescan = scan_and_rescan(revision)
    context = {
        "revision": revision,
        "model": revision.model,
        "scan": scan,
        "rescan": rescan,
        "severities": counts(scan.severities, SEVERITIES) if scan else [],
        "verdicts": counts(scan.verdicts, VERDICTS) if scan else [],
        "may_view": may(user_of(request), "findings.view_findings", revision),
    }
    html = render_to_string("findings/components/scan.html", context, request=request)
    return LiveSection(html, is_live=rescan is not None and rescan.is_on_its_way)


def counts(found: dict[str, int], order: tuple[str, ...]) -> list[tuple[str, int]]:
    """Counts in a fixed order, words as people read them; what is zero is left out."""
    return [(name.replace("_", " "), found[name]) for name in order if found.get(name)]
