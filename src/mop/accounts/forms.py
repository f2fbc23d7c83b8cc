"""Forms of tokens and teams."""

from __future__ import annotations

from typing import Any

from allauth.account.forms import LoginForm
from django import forms

from mop.accounts.models import TokenScope, User
from mop.accounts.services import TOKEN_DAYS_DEFAULT, TOKEN_DAYS_MAX
from mop.ui.forms import PlainForm


class SignInForm(LoginForm):  # type: ignore[misc] # allauth is untyped
    """Sign-in without the link to a reset by mail: MOP sends none, its operator sets passwords."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["password"].help_text = ""
        for field in self.fields.values():
            field.widget.attrs.pop("placeholder", None)


class TokenForm(PlainForm):
    """A new personal access token."""

    name = forms.CharField(max_length=100, help_text="What uses it, such as: build server.")
    scope = forms.ChoiceField(choices=TokenScope.choices, initial=TokenScope.WRITE)
    days = forms.IntegerField(
        label="Days until it expires", min_value=1, max_value=TOKEN_DAYS_MAX, initial=TOKEN_DAYS_DEFAULT
    )


class TeamForm(PlainForm):
    name = forms.CharField(max_length=100)
    description = forms.CharField(required=False, widget=forms.Textarea(attrs={"rows": 3}))


class UsernameForm(PlainForm):
    """One user, by name."""

    username = forms.CharField(max_length=150, label="User name", widget=forms.TextInput(attrs={"autocomplete": "off"}))

    def clean_username(self) -> str:
        """The name of an active user; the user is then in `user`."""
        name = str(self.cleaned_data["username"]).strip()
        user = User.objects.filter(username=name, is_active=True).first()
        if user is None:
            raise forms.ValidationError(f"There is no user {name!r}.")
        self.user = user
        return name
