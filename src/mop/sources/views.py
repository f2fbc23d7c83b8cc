"""The page of source prefixes."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.views.decorators.http import require_http_methods

from mop.accounts.current_user import actor_in, user_of
from mop.accounts.rules import authorise
from mop.sources.forms import SourcePrefixForm
from mop.sources.purposes import Purpose
from mop.sources.selectors import get_prefix, visible_prefixes
from mop.sources.services import add_prefix, remove_prefix
from mop.sources.storage_settings import storage_config
from mop.ui.pages import Done, confirm_page, sent, show_form


@require_http_methods(["GET", "POST"])
def prefixes(request: HttpRequest) -> HttpResponse:
    """All source prefixes, and a form for a new one."""
    user = user_of(request)
    authorise(user, "sources.define", what="define source prefixes")
    form = SourcePrefixForm(request.POST or None)

    def act() -> Done:
        given = form.cleaned_data
        row = add_prefix(
            actor=actor_in(request),
            user=user,
            team=given["team"],
            purpose=Purpose(given["purpose"]),
            prefix=given["prefix"],
        )
        whose = f"The team {row.team.name}" if row.team else "Every team"
        return Done(f"{whose} may read {row.purpose} below {row.prefix}.", reverse("sources:prefixes"))

    config = storage_config()
    places = [*(account.url for account in config.azure_accounts), *(root.as_uri() for root in config.file_roots)]
    context = {"prefixes": visible_prefixes(user), "places": places}
    return sent(request, form, act) or show_form(request, "sources/prefixes.html", form, context)


@require_http_methods(["GET", "POST"])
def remove(request: HttpRequest, prefix_id: int) -> HttpResponse:
    """Ask, then take a prefix from its team."""
    authorise(user_of(request), "sources.define", what="define source prefixes")
    prefix = get_prefix(prefix_id)
    here = reverse("sources:prefixes")

    def act() -> Done:
        remove_prefix(actor=actor_in(request), prefix=prefix)
        return Done(f"The source prefix {prefix.prefix} is removed.", here)

    whose = f"The team {prefix.team.name}" if prefix.team else "Every team"
    return confirm_page(
        request,
        act,
        title="Remove this source prefix?",
        trail=[("Source prefixes", here), ("Remove", "")],
        lead=f"{whose} reads {prefix.purpose} below {prefix.prefix}. New versions from there are refused once it is "
        "removed; versions that MOP has read already stay as they are.",
        submit="Remove source prefix",
        cancel_url=here,
    )
