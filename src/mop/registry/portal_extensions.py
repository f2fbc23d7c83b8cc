"""What registry shows on its own pages and on those of the areas below it."""

from __future__ import annotations

from django.http import HttpRequest
from django.template.loader import render_to_string
from django.utils.safestring import SafeString

from mop.accounts.current_user import user_of
from mop.catalog.models import Task
from mop.registry.selectors import visible_models
from mop.ui.extensions import Tab

MODELS_MAX = 200
DETAIL_TAB = Tab("Model detail", "registry:model", order=10)


def connected_models(request: HttpRequest, task: Task) -> SafeString:
    """The models of a task that the user may see, under the task's page."""
    models = visible_models(user_of(request)).filter(connections__task=task).select_related("team").order_by("name")
    shown = list(models[: MODELS_MAX + 1])
    context = {"models": shown[:MODELS_MAX], "has_more": len(shown) > MODELS_MAX, "limit": MODELS_MAX}
    return render_to_string("registry/components/connected_models.html", context, request=request)
