"""What MOP proposes for a new model or version, so that a url and a task suffice."""

from __future__ import annotations

import datetime as dt

from django.utils import timezone

from mop.accounts.models import User
from mop.catalog.selectors import default_instance_type
from mop.registry.models import Model, Revision
from mop.registry.services import RevisionInput
from mop.registry.versions import recommend_name, recommend_version
from mop.serving_options import values_of


def propose_name(user: User) -> str:
    """A model name that is free now."""
    name = recommend_name(user.username)
    while Model.objects.filter(name=name).exists():
        name = recommend_name(user.username)
    return name


def propose_first_revision() -> RevisionInput:
    """The defaults of a model's first version; the url is left to the contributor."""
    return RevisionInput(
        version=recommend_version(None, timezone.localdate()),
        model_url="",
        instance_type=default_instance_type(),
    )


def propose_next_revision(model: Model) -> RevisionInput:
    """The newest version's fields under the next free version; the note is written anew."""
    last = model.revisions.select_related("instance_type").order_by("-created_at", "-id").first()
    if last is None:
        return propose_first_revision()
    return RevisionInput(
        version=_free_version(model, last.version, timezone.localdate()),
        model_url=last.model_url,
        instance_type=last.instance_type,
        sample_post_data=last.sample_post_data,
        **values_of(last),
    )


def _free_version(model: Model, last: str, today: dt.date) -> str:
    taken = set(Revision.objects.filter(model=model).values_list("version", flat=True))
    version = recommend_version(last, today)
    while version in taken:
        following = recommend_version(version, today)
        if following == version:  # the date of today is taken: 2026-11-23.2, 2026-11-23.3
            number = 2
            while f"{version}.{number}" in taken:
                number += 1
            return f"{version}.{number}"
        version = following
    return version
