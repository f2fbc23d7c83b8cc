"""In the Details of a verified version: Try it."""

from __future__ import annotations

from django.http import HttpRequest
from django.template.loader import render_to_string

from mop.accounts.current_user import user_of
from mop.accounts.rules import may
from mop.registry.models import Revision
from mop.registry.statuses import RevisionStatus
from mop.ui.extensions import LiveSection


def try_section(request: HttpRequest, revision: Revision) -> LiveSection:
    """The link to Try it, for who may."""
    can_try = revision.get_status() == RevisionStatus.VERIFIED and may(user_of(request), "trials.start", revision)
    context = {"revision": revision, "can_try": can_try}
    html = render_to_string("trials/components/section.html", context, request=request)
    return LiveSection(html, is_live=False)
