"""The live end of a revision's log, beside its Details."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest
from django.template.loader import render_to_string
from django.utils.safestring import SafeString

from mop.accounts.current_user import user_of
from mop.accounts.rules import may
from mop.onboarding.log_tail import log_card_context
from mop.registry.models import Revision

TEMPLATE = "onboarding/components/log_card.html"


def log_card(request: HttpRequest, revision: Revision) -> SafeString:
    """The end of the log that is written now, or was written last; nothing for those who may not read logs."""
    if not may(user_of(request), "registry.view_logs", revision):
        return SafeString("")
    context: dict[str, Any] = log_card_context(revision)
    return render_to_string(TEMPLATE, context, request=request)
