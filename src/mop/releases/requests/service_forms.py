"""Forms that lead from the page of a service and back to it: what is made there, and shown once; what ends there."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from django import forms
from django.http import HttpRequest, HttpResponse
from django.urls import reverse

from mop.errors import ConflictError, ValidationFailedError
from mop.releases.models import Service
from mop.ui.forms import take_errors
from mop.ui.pages import Done, Trail, confirm_page, form_page, secret_page


@dataclass(frozen=True)
class Secret:
    """What was made: its secret, what it is called, whom it is given to, and what is good to know of it."""

    secret: str
    title: str
    note: str
    lead: str = "This is the only time that the secret is shown. Give it to {service} now."


class ServiceForms:
    """The forms of one service."""

    def __init__(self, request: HttpRequest, service: Service) -> None:
        self.url = reverse("releases:service", args=[service.name])
        self._request = request
        self._service = service

    def new_secret(
        self, form: forms.Form, make: Callable[[], Secret], *, title: str, submit: str, lead: str
    ) -> HttpResponse:
        """A form; once it is right, what it made, whose secret is shown this once."""
        if self._request.method == "POST" and form.is_valid():
            try:
                return self.shown(make())
            except ValidationFailedError as error:
                take_errors(form, error)
            except ConflictError as error:
                form.add_error(None, f"{error.message} {error.hint}".strip())
        return self.form(form, lambda: Done("", self.url), title=title, submit=submit, lead=lead)

    def shown(self, made: Secret) -> HttpResponse:
        """The page that shows a secret."""
        return secret_page(
            self._request,
            made.secret,
            title=made.title,
            trail=self._trail(made.title),
            lead=made.lead.format(service=self._service.name),
            note=made.note,
            back_url=self.url,
            back=f"Back to {self._service.name}",
        )

    def form(
        self, form: forms.BaseForm, act: Callable[[], Done], *, title: str, submit: str, lead: str
    ) -> HttpResponse:
        """A form whose act leads back."""
        trail = self._trail(title)
        return form_page(
            self._request, form, act, title=title, trail=trail, submit=submit, cancel_url=self.url, lead=lead
        )

    def ask(self, act: Callable[[], object], *, done: str, title: str, submit: str, lead: str) -> HttpResponse:
        """Ask before something ends."""

        def end() -> Done:
            act()
            return Done(done, self.url)

        trail = self._trail(title)
        return confirm_page(self._request, end, title=title, trail=trail, submit=submit, cancel_url=self.url, lead=lead)

    def _trail(self, title: str) -> Trail:
        return [("Releases", reverse("releases:releases")), (self._service.name, self.url), (title, "")]
