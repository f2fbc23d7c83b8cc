"""Forms of a service's gateway."""

from __future__ import annotations

from typing import Any

from django import forms

from mop.gateway.models import URL_MAX
from mop.ui.forms import PlainForm

ANONYMOUS = "anonymous"
SECRET_MAX = 4000


class ContainerForm(PlainForm):
    """A container from which callers may name images."""

    url = forms.CharField(
        label="Url",
        max_length=URL_MAX,
        help_text="https://ACCOUNT.blob.core.windows.net/CONTAINER, without a signature.",
    )
    kind = forms.ChoiceField(
        label="Credential",
        choices=(("sas", "a SAS"), ("account_key", "an account key"), (ANONYMOUS, "none: the container is public")),
        help_text="It is used only for this container. Give one that can read and nothing else.",
    )
    secret = forms.CharField(
        required=False,
        max_length=SECRET_MAX,
        label="SAS or account key",
        widget=forms.PasswordInput(attrs={"autocomplete": "off"}),
        help_text="It is sealed and never shown.",
    )

    def clean(self) -> dict[str, Any]:
        """A credential has a secret, unless it is none."""
        given = super().clean() or {}
        if "kind" in given and (given["kind"] == ANONYMOUS) == bool(given.get("secret")):
            wrong = "Leave this empty for a public container." if given.get("secret") else "Fill this in."
            self.add_error("secret", wrong)
        return given

    @property
    def credential(self) -> dict[str, Any]:
        """As `add_container` takes it."""
        kind = self.cleaned_data["kind"]
        return {kind: True if kind == ANONYMOUS else self.cleaned_data["secret"]}
