"""The making of a release's bundle, killed at every failpoint, on a home of its own: `python -m`, for one test.

Each attempt is a fork. What became of it is one JSON document on standard output.
"""

from __future__ import annotations

import json
import os
import signal
import sys
import tempfile
from pathlib import Path
from typing import Any

import django

if __name__ == "__main__":
    django.setup()

from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from django.conf import settings
from django.db import connections

from mop import failpoints
from mop.errors import StaleAttemptError
from mop.notifications.models import Delivery
from mop.notifications.webhooks import create_webhook
from mop.releases.bundles.models import Bundle
from mop.releases.models import ServiceKind
from mop.releases.requests.notices import owner_of
from mop.storage.signing_keys import read_signing_keys
from support.bundles import content_of, make, measured_version, new_key
from support.factories import ACTOR
from support.release_story import HOST, in_fork
from support.releases import approved, make_service, releasable

KEY: Path = settings.MOP_HOME / "key.pem"
POINTS = ("bundle signed", "before bundle made", "after bundle made")


def prepare() -> None:
    """An approved release, whose bundle waits, of a service with a webhook."""
    pem = new_key().private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    KEY.touch(mode=0o600)
    KEY.write_bytes(pem)
    service = make_service("Moderation", kind=ServiceKind.RAIO)
    create_webhook(actor=ACTOR, url=f"https://{HOST}/releases", owner=owner_of(service.pk))
    approved(releasable(measured_version()), service)


def attempt() -> None:
    """What a worker does; nothing where nobody waits for it any more."""
    keys = read_signing_keys(KEY, ())
    assert keys.private is not None
    try:
        make(Bundle.objects.get(), keys.private)
    except StaleAttemptError:
        return


def state() -> dict[str, Any]:
    """What is there afterwards."""
    bundle = Bundle.objects.get()
    ready = bundle.release.events.filter(what="bundleReady")
    told = Delivery.objects.filter(event__in=[f"release:{one.release_id}:{one.what}:{one.pk}" for one in ready])
    found = {"sha256": bundle.sha256, "is_made": bundle.made_at is not None, "events": ready.count()}
    found["deliveries"] = told.count()
    if bundle.made_at is not None:
        found["bytes"] = len(content_of(bundle))
    connections.close_all()
    return found


def main() -> None:
    """Killed at each failpoint in turn, and begun again after it."""
    assert in_fork(prepare) == 0
    folder = Path(tempfile.mkdtemp(dir=settings.MOP_HOME))
    steps = []
    for point in (*POINTS, ""):
        if point:
            failpoints.file_of(folder, point).touch()
        died = in_fork(attempt, folder)
        is_killed = os.WIFSIGNALED(died) and os.WTERMSIG(died) == signal.SIGKILL
        steps.append({"point": point, "is_killed": is_killed, "code": died, **state()})
    json.dump(steps, sys.stdout, default=str)


if __name__ == "__main__":
    main()
