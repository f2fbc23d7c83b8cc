"""The page of greetings, and what stands in the header of every page."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.template import engines
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.views.decorators.http import require_GET

from areas.greetings.services import answered
from mop.accounts.current_user import user_of
from mop.accounts.models import User

PAGE = (
    '{% extends "base.html" %}{% block title %}Greetings{% endblock %}'
    "{% block main %}<h1>Greetings</h1><p>{{ answered }} answered</p>{% endblock %}"
)


@require_GET
def greetings(request: HttpRequest) -> HttpResponse:
    user_of(request)
    return HttpResponse(engines["django"].from_string(PAGE).render({"answered": answered()}, request))


def in_header(_request: HttpRequest, user: User) -> SafeString:
    return format_html('<p id="hello">Hello {}</p>', user.username)
