"""Forms of a service's gateway: its two keys, each shown once, and the containers of images."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.views.decorators.http import require_http_methods

from mop.accounts.current_user import actor_in, user_of
from mop.accounts.rules import authorise
from mop.errors import NotFoundError, ValidationFailedError
from mop.gateway.forms import ContainerForm
from mop.gateway.selectors import gateway_keys, get_container
from mop.gateway.services import KEY_NUMBERS, add_container, remove_container, rotate_key
from mop.releases.models import Service
from mop.releases.requests.service_forms import Secret, ServiceForms
from mop.releases.selectors import get_service
from mop.ui.pages import Done


@require_http_methods(["GET", "POST"])
def rotate(request: HttpRequest, service: str, number: int) -> HttpResponse:
    """Ask, then make a key anew and show it this once."""
    found = _managed(request, service)
    if number not in KEY_NUMBERS:
        raise NotFoundError(f"A gateway has key 1 and key 2, not {number}.")
    has_one = gateway_keys(found).filter(number=number).exists()
    title = f"{'Rotate' if has_one else 'Make'} key {number}"
    pages = ServiceForms(request, found)
    if request.method == "POST":
        secret = rotate_key(actor=actor_in(request), service=found, number=number)
        return pages.shown(
            Secret(
                secret,
                f"Key {number} of the gateway",
                "Send it as Ocp-Apim-Subscription-Key, or as Authorization: Bearer.",
                "This is the only time that the key is shown. Give it to the callers of {service} now.",
            )
        )
    ends = f"What callers send as key {number} now is refused within a second. The other key stays."
    begins = "Callers of the gateway are known by it. The next page shows it once."
    return pages.ask(lambda: None, done="", title=title, submit=title, lead=ends if has_one else begins)


@require_http_methods(["GET", "POST"])
def add(request: HttpRequest, service: str) -> HttpResponse:
    """A container from which callers may name images, with its credential."""
    found = _managed(request, service)
    form = ContainerForm(request.POST or None)
    pages = ServiceForms(request, found)

    def act() -> Done:
        url = form.cleaned_data["url"]
        try:
            added = add_container(actor=actor_in(request), service=found, url=url, credential=form.credential)
        except ValidationFailedError as error:
            raise _of_the_form(error) from None
        return Done(f"Callers may name images of {added.url}.", pages.url)

    return pages.form(
        form,
        act,
        title="New image container",
        submit="Add container",
        lead="Callers of the gateway can then name its images by `blobUrl`. One in the list gets the new credential.",
    )


@require_http_methods(["GET", "POST"])
def remove(request: HttpRequest, service: str, container: int) -> HttpResponse:
    """Ask, then take a container off the list."""
    found = _managed(request, service)
    listed = get_container(found, container)
    return ServiceForms(request, found).ask(
        lambda: remove_container(actor=actor_in(request), service=found, container_id=container),
        done=f"{listed.url} is no longer listed.",
        title="Remove the image container",
        submit="Remove container",
        lead=f"Callers may not name images of {listed.url} any more, and its credential is deleted.",
    )


def _of_the_form(error: ValidationFailedError) -> ValidationFailedError:
    """The form has a field for the secret of a credential."""
    fields = {"secret" if name == "credential" else name: texts for name, texts in error.fields.items()}
    return ValidationFailedError(error.message, hint=error.hint, fields=fields)


def _managed(request: HttpRequest, name: str) -> Service:
    user = user_of(request)  # first: a stranger is not told whether the service exists
    found = get_service(name)
    authorise(user, "gateway.manage", found, what="manage the gateway of this service")
    return found
