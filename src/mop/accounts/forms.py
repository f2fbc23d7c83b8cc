"""Forms of tokens and teams."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from allauth.account.forms import LoginForm
from django import forms
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString

from mop.accounts.models import Team, User
from mop.accounts.quotas import LIMIT_MAX
from mop.accounts.selectors import get_people, search_people
from mop.accounts.token_services import OVERLAP_HOURS_MAX, TOKEN_DAYS_DEFAULT, TOKEN_DAYS_MAX
from mop.accounts.validation import DESCRIPTION_MAX
from mop.areas.scopes import ALL_READ, ALL_WRITE, READ, TOKEN_AREAS, WRITE
from mop.errors import MopError
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
    days = forms.IntegerField(
        label="Days until it expires", min_value=1, max_value=TOKEN_DAYS_MAX, initial=TOKEN_DAYS_DEFAULT
    )
    access = forms.ChoiceField(
        choices=(
            ("", "Only what is chosen below"),
            (ALL_READ, "Read everything that I may see"),
            (ALL_WRITE, "Everything that I may do"),
        ),
        required=False,
        help_text="Choose the least that it needs.",
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for area in TOKEN_AREAS:
            self.fields[f"area_{area.value}"] = forms.ChoiceField(
                label=area.label, choices=(("", "None"), (READ, "Read"), (WRITE, "Read and write")), required=False
            )
        self.speak_plainly()

    @property
    def area_fields(self) -> list[forms.BoundField]:
        """One field for each area."""
        return [self[name] for name in self.fields if name.startswith("area_")]

    def clean(self) -> dict[str, Any]:
        """Name, days and scopes."""
        cleaned = super().clean() or {}
        if everything := cleaned.get("access"):
            scopes = [everything]
        else:
            chosen = {area: cleaned.get(f"area_{area.value}") for area in TOKEN_AREAS}
            scopes = [f"{area.value}:{access}" for area, access in chosen.items() if access]
        if not scopes:
            self.add_error("access", "Choose what the token may do: everything, or areas below.")
        return {"name": cleaned.get("name"), "days": cleaned.get("days"), "scopes": scopes}


class RotateTokenForm(PlainForm):
    """A new secret for a token."""

    days = forms.IntegerField(
        label="Days until the new one expires", min_value=1, max_value=TOKEN_DAYS_MAX, initial=TOKEN_DAYS_DEFAULT
    )
    overlap_hours = forms.IntegerField(
        label="Hours that the old one still works",
        min_value=0,
        max_value=OVERLAP_HOURS_MAX,
        initial=0,
        help_text="0: it ends at once. Running jobs may need it a little longer.",
    )


class TeamForm(PlainForm):
    name = forms.CharField(max_length=100)
    description = forms.CharField(required=False, max_length=DESCRIPTION_MAX, widget=forms.Textarea(attrs={"rows": 3}))


class LimitForm(PlainForm):
    """A team's limit of one quota."""

    limit = forms.IntegerField(required=False, min_value=0, max_value=LIMIT_MAX)

    def __init__(self, *args: Any, unit: str, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["limit"].label = f"Limit ({unit})"
        self.fields["limit"].help_text = "Empty: the limit of the installation. 0: no limit."


class PersonInput(forms.TextInput):
    """A user name, with people to choose from while somebody types; without scripts the form says who may be meant."""

    def render(self, name: str, value: Any, attrs: Any = None, renderer: Any = None) -> SafeString:
        """The input, and the list of its suggestions."""
        people = f"{(attrs or {}).get('id') or name}-people"
        asks = {
            "autocomplete": "off",
            "list": people,
            "hx-get": reverse("accounts:people"),
            "hx-trigger": "input changed delay:300ms",
            "hx-target": f"#{people}",
            "hx-swap": "innerHTML",
        }
        field = super().render(name, value, {**(attrs or {}), **asks}, renderer)
        return format_html('{}<datalist id="{}"></datalist>', field, people)


class UsernameForm(PlainForm):
    """One user, by name."""

    username = forms.CharField(max_length=150, label="User name", widget=PersonInput)

    def clean_username(self) -> str:
        """The name of an active user; the user is then in `user`."""
        self.user = find_person(str(self.cleaned_data["username"]).strip())
        return self.user.username


class NewOwnerForm(UsernameForm):
    """Who shall own what a person owns."""

    username = forms.CharField(max_length=150, label="New owner (user name)", widget=PersonInput)


class PeopleField(forms.CharField):
    """User names, separated by commas.

    Attributes:
        known: people who may stay although their accounts are disabled; a form that shows them sets it.
    """

    known: Collection[User] = ()

    def clean(self, value: Any) -> list[User]:
        """The people, each once, in the order of the text."""
        people, faults = [], []
        for name in dict.fromkeys(name.strip() for name in super().clean(value).split(",") if name.strip()):
            try:
                people += get_people([name], known=self.known)
            except MopError as error:
                faults.append(error.message)
        if faults:
            raise forms.ValidationError(faults)
        return people


def find_person(name: str) -> User:
    """The active user of this name.

    Raises:
        forms.ValidationError: there is none; it names people whom the text may mean.
    """
    user = User.objects.filter(username=name, is_active=True).first()
    if user:
        return user
    names = ", ".join(person.username for person in search_people(name)[:5])
    raise forms.ValidationError(
        f"There is no user {name!r}." + (f" Do you mean one of these: {names}?" if names else "")
    )


class NewPasswordForm(PlainForm):
    """A password, twice."""

    password = forms.CharField(
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}), help_text="10 characters or more."
    )
    again = forms.CharField(label="The same again", widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}))

    def clean(self) -> dict[str, Any]:
        """The password, if both are the same."""
        cleaned = super().clean() or {}
        if cleaned.get("password") and cleaned.get("again") and cleaned["password"] != cleaned["again"]:
            self.add_error("again", "The two passwords differ.")
        return cleaned


class AcceptForm(NewPasswordForm):
    """The account of an invitation."""

    username = forms.CharField(max_length=150, label="User name", widget=forms.TextInput({"autocomplete": "username"}))
    field_order = ("username", "password", "again")


class ResetRequestForm(PlainForm):
    username = forms.CharField(max_length=150, label="User name", widget=forms.TextInput({"autocomplete": "username"}))


class InviteForm(PlainForm):
    """Whom to invite, and into what."""

    email = forms.EmailField(label="E-mail address", required=False, help_text="The new account gets it.")
    team = forms.ModelChoiceField(Team.objects.none(), required=False, empty_label="A personal team")
    is_administrator = forms.BooleanField(label="Make them an administrator", required=False)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["team"].queryset = Team.objects.filter(is_personal=False)  # type: ignore[attr-defined] # a ModelChoiceField


class PeopleFilterForm(PlainForm):
    """Which people the list shows."""

    search = forms.CharField(required=False, max_length=150)
    which = forms.ChoiceField(
        required=False,
        choices=(
            ("", "Everybody"),
            ("enabled", "Enabled accounts"),
            ("disabled", "Disabled accounts"),
            ("administrators", "Administrators"),
        ),
    )
