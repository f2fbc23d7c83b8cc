"""What contract runs show on the pages of models: the connected tasks, and the sample in a version's Details."""

from __future__ import annotations

from django.http import HttpRequest
from django.template.loader import render_to_string
from django.utils.safestring import SafeString

from mop.accounts.current_user import user_of
from mop.contract_runs.pages import sample_context, tasks_context
from mop.registry.models import Model, Revision
from mop.ui.extensions import LiveSection


def connected_tasks(request: HttpRequest, model: Model) -> SafeString:
    """The connected tasks of a model, and where its versions stand with them."""
    return render_to_string("contract_runs/connected_tasks.html", tasks_context(request, model), request=request)


def contract_section(request: HttpRequest, revision: Revision) -> LiveSection:
    """In a version's Details: what may be asked of it, and another sample while it is being verified."""
    context = sample_context(user_of(request), revision)
    html = render_to_string("contract_runs/components/section.html", context, request=request)
    run = context["run"]
    return LiveSection(html, is_live=run is not None and run.get_state().is_live)
