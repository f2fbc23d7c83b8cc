"""What bundles show on pages of releases."""

from __future__ import annotations

from django.http import HttpRequest
from django.template.loader import render_to_string
from django.utils.safestring import SafeString

from mop.accounts.current_user import user_of
from mop.accounts.rules import may
from mop.releases.bundles.models import Bundle
from mop.releases.release_models import Release


def bundle_of_release(request: HttpRequest, release: Release) -> SafeString:
    """The bundle of an approved release, and how the service takes it."""
    bundle = Bundle.objects.filter(release=release).defer("documents").first()
    if bundle is None:
        return SafeString("")
    context = {
        "release": release,
        "bundle": bundle,
        "may_take": may(user_of(request), "releases.take_bundle", release.service),
    }
    return render_to_string("releases/components/release_bundle.html", context, request=request)
