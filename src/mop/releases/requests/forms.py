"""Forms of releases and tokens of services."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, cast

from django import forms
from django.conf import settings

from mop.accounts.token_services import TOKEN_DAYS_DEFAULT, TOKEN_DAYS_MAX
from mop.catalog.models import Taxonomy
from mop.notifications.models import DESCRIPTION_MAX
from mop.notifications.webhook_hosts import URL_MAX
from mop.registry.models import TaskConnection
from mop.releases.models import Service
from mop.releases.release_models import COMMENT_MAX, SHARE_MAX, SHARE_MIN, ServiceScope
from mop.releases.release_states import ReleaseState
from mop.releases.requests.notices import told_kinds
from mop.releases.requests.selectors import ENDED, LIVE, WAITING
from mop.ui.forms import PlainForm


class _Comment(forms.CharField):
    def __init__(self, **kwargs: Any) -> None:
        super().__init__(max_length=COMMENT_MAX, widget=forms.Textarea(attrs={"rows": 3}), **kwargs)


class OfferForm(PlainForm):
    """A request for a release."""

    taxonomies = forms.MultipleChoiceField(
        widget=forms.CheckboxSelectMultiple,
        help_text="The release replaces what is live for these only.",
    )
    comment = _Comment(required=False, help_text="For the admin who decides. Needed where a condition does not pass.")

    def __init__(self, *args: Any, connections: Sequence[TaskConnection], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        names = [one.taxonomy.name for one in connections]
        field = cast("forms.MultipleChoiceField", self.fields["taxonomies"])
        field.choices = [(one.taxonomy.name, f"{one.taxonomy.name}, {one.task.modality}") for one in connections]
        field.initial = names


class ApprovalForm(PlainForm):
    """An approval. `evidence` is the digest of what the page showed: other evidence is not approved unseen."""

    comment = _Comment(help_text="Why: it stays with the release.")
    canary_share = forms.IntegerField(
        required=False,
        min_value=SHARE_MIN,
        max_value=SHARE_MAX,
        label="Canary, per cent of the requests",
        help_text="Empty: without a canary. It needs something live that answers the other requests.",
    )
    has_read = forms.BooleanField(label="I have read the conditions that do not pass")
    evidence = forms.CharField(max_length=64, widget=forms.HiddenInput)

    def __init__(self, *args: Any, is_failing: bool, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if not is_failing:
            del self.fields["has_read"]


class ReasonForm(PlainForm):
    """Why something is done."""

    comment = _Comment(label="Reason")


class CommentForm(PlainForm):
    """A comment, if there is one."""

    comment = _Comment(required=False)


class CanaryForm(PlainForm):
    """The share of a canary."""

    share = forms.IntegerField(min_value=SHARE_MIN, max_value=SHARE_MAX, label="Per cent of the requests")


class ReleaseFilter(PlainForm):
    """What of the releases is shown."""

    state = forms.ChoiceField(
        required=False,
        choices=[
            ("", "All"),
            (WAITING, "Waiting"),
            (LIVE, "Live"),
            (ENDED, "Ended"),
            *((state.value, state.value) for state in ReleaseState),
        ],
    )
    service = forms.ChoiceField(required=False)
    taxonomy = forms.ChoiceField(required=False)
    search = forms.CharField(required=False, max_length=100)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        services = Service.objects.order_by("name").values_list("name", flat=True)
        taxonomies = Taxonomy.objects.order_by("name").values_list("name", flat=True)
        for name, every, values in (("service", "Any service", services), ("taxonomy", "Any taxonomy", taxonomies)):
            field = cast("forms.ChoiceField", self.fields[name])
            field.choices = [("", every), *((value, value) for value in values)]
        for name in ("state", "service", "taxonomy"):
            self.fields[name].widget.attrs["class"] = "select"


class ServiceWebhookForm(PlainForm):
    """A new webhook of a service."""

    url = forms.CharField(label="Url", max_length=URL_MAX)
    description = forms.CharField(max_length=DESCRIPTION_MAX, required=False, help_text="What receives the messages.")
    kinds = forms.MultipleChoiceField(
        label="Events",
        required=False,
        widget=forms.CheckboxSelectMultiple,
        help_text="None chosen: every event, also those of later versions of MOP.",
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        hosts = ", ".join(settings.MOP_WEBHOOK_HOSTS) or "none yet: the operator sets MOP_WEBHOOK_HOSTS"
        self.fields["url"].help_text = f"Messages are sent there by POST. Allowed hosts: {hosts}."
        cast("forms.MultipleChoiceField", self.fields["kinds"]).choices = [*told_kinds().items()]


class TokenForm(PlainForm):
    """A new token of a service."""

    name = forms.CharField(max_length=100, help_text="What uses it.")
    scopes = forms.MultipleChoiceField(
        choices=ServiceScope.choices, initial=ServiceScope.values, widget=forms.CheckboxSelectMultiple
    )
    days = forms.IntegerField(
        min_value=1, max_value=TOKEN_DAYS_MAX, initial=TOKEN_DAYS_DEFAULT, label="Days until it expires"
    )
