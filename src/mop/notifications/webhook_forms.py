"""Forms of webhooks."""

from __future__ import annotations

from typing import Any

from django import forms
from django.conf import settings

from mop.accounts.models import Team, User
from mop.notifications.models import DESCRIPTION_MAX, Webhook
from mop.notifications.selectors import kinds_for
from mop.notifications.webhook_hosts import URL_MAX
from mop.notifications.webhook_selectors import teams_of
from mop.ui.forms import PlainForm

EVERY = "every"
CHOSEN = "chosen"


class WebhookForm(PlainForm):
    """Url, description and kinds of a webhook."""

    url = forms.CharField(label="Url", max_length=URL_MAX)
    description = forms.CharField(max_length=DESCRIPTION_MAX, required=False, help_text="What receives the messages.")
    hears = forms.ChoiceField(
        label="Events",
        choices=((EVERY, "every event, also those of later versions of MOP"), (CHOSEN, "the events chosen below")),
        initial=EVERY,
    )
    kinds = forms.MultipleChoiceField(label="Chosen events", required=False, widget=forms.CheckboxSelectMultiple)

    def __init__(self, *args: Any, user: User, webhook: Webhook | None = None, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        hosts = ", ".join(settings.MOP_WEBHOOK_HOSTS) or "none yet: the operator sets MOP_WEBHOOK_HOSTS"
        self.fields["url"].help_text = f"Messages are sent there by POST. Allowed hosts: {hosts}."
        known = [kind.value for kind in kinds_for(user)]
        kinds = self.fields["kinds"]
        kinds.choices = [(kind.value, kind.label) for kind in kinds_for(user)]  # type: ignore[attr-defined]
        kinds.initial = known
        if webhook is not None:
            self.initial = {
                **self.initial,
                "url": webhook.url,
                "description": webhook.description,
                "hears": EVERY if webhook.kinds is None else CHOSEN,
                "kinds": known if webhook.kinds is None else webhook.kinds,
            }

    def wanted(self) -> list[str] | None:
        """The kinds; None: every kind."""
        return None if self.cleaned_data["hears"] == EVERY else self.cleaned_data["kinds"]


class NewWebhookForm(WebhookForm):
    """A new webhook, of the person or of a team of theirs."""

    team = forms.ModelChoiceField(
        queryset=Team.objects.none(),
        required=False,
        label="For",
        empty_label="me: my own notifications",
        help_text="A team's webhook receives what concerns its models, datasets and tasks, as far as you see it.",
    )
    field_order = ("url", "description", "team", "hears", "kinds")

    def __init__(self, *args: Any, user: User, **kwargs: Any) -> None:
        super().__init__(*args, user=user, **kwargs)
        self.fields["team"].queryset = teams_of(user)  # type: ignore[attr-defined]
