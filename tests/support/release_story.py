"""Releases whose every step is killed before and after its commit, on a home of its own: `python -m`, for one test.

Each attempt is a fork, which dies by SIGKILL at a failpoint or leaves as it ends; this process looks at the database
between them, and holds no connection while it forks. What it found is one JSON document on standard output.
"""

from __future__ import annotations

import json
import os
import signal
import sys
import tempfile
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any

import django

if __name__ == "__main__":
    django.setup()

from django.conf import settings
from django.db import connections

from mop import failpoints
from mop.accounts.services import actor_of
from mop.gateway.service_releases import ServiceReleases
from mop.notifications.models import Delivery
from mop.notifications.webhooks import create_webhook
from mop.registry.models import Model, Revision
from mop.releases.bundles.models import Bundle
from mop.releases.models import Service
from mop.releases.release_models import LiveSlot, Release, ReleaseEvent, SlotPeriod
from mop.releases.release_states import HOLDING, ReleaseState
from mop.releases.requests.deciding import approve_release
from mop.releases.requests.notices import owner_of
from mop.releases.requests.switching import roll_back
from support.factories import ACTOR, make_task
from support.releases import admin_of, make_releasable, make_service, next_version, requested

HOST = "hooks.example"


def in_fork(act: Callable[[], object], folder: Path | None = None) -> int:
    """Do it in a process of its own, at whose failpoints it dies where a folder is given; gives the wait status."""
    connections.close_all()
    pid = os.fork()
    if pid == 0:
        code = 1
        try:
            if folder is not None:
                failpoints.arm(folder)
            act()
            code = 0
        except BaseException:  # noqa: BLE001 - the fork must end here, whatever happened
            traceback.print_exc()
        finally:
            os._exit(code)
    return os.waitpid(pid, 0)[1]


def state() -> dict[str, Any]:
    """What is there, as far as a step changes it."""
    found = {
        "releases": {one.pk: one.state for one in Release.objects.order_by("pk")},
        "slots": sorted(LiveSlot.objects.values_list("taxonomy__name", "modality", "live", "canary", "canary_share")),
        "periods": sorted(SlotPeriod.objects.values_list("taxonomy__name", "modality", "release", "end")),
        "events": list(ReleaseEvent.objects.order_by("pk").values_list("release", "what")),
        "bundles": sorted(Bundle.objects.values_list("release", flat=True)),
    }
    connections.close_all()
    return found


def faults() -> list[str]:
    """What must never be, whenever a process dies."""
    wrong = []
    slots = list(LiveSlot.objects.select_related("live", "canary"))
    places = [(one.service_id, one.taxonomy_id, one.modality) for one in slots]
    if len(places) != len(set(places)):
        wrong.append(f"a slot stands twice: {places}")
    open_periods = sorted(SlotPeriod.objects.filter(ended_at=None).values_list("taxonomy_id", "modality", "release"))
    if open_periods != sorted((one.taxonomy_id, one.modality, one.live_id) for one in slots):
        wrong.append(f"open periods {open_periods} are not the slots")
    live = {one.live_id for one in slots}
    if live != set(Release.objects.filter(state=ReleaseState.RELEASED).values_list("pk", flat=True)):
        wrong.append(f"{live} stand in slots and others are released")
    for release in Release.objects.all():
        told = [one for one in release.events.order_by("pk").values_list("what", flat=True) if one in ReleaseState]
        if not told or told[-1] != release.state:
            wrong.append(f"release {release.pk} is {release.state} and its events are {told}")
        if release.state in HOLDING and not Bundle.objects.filter(release=release).exists():
            wrong.append(f"release {release.pk} is {release.state} and has no bundle")
    wrong += [
        f"the webhook is not told once of {event.what} of release {event.release_id}"
        for event in ReleaseEvent.objects.all()
        if Delivery.objects.filter(event=f"release:{event.release_id}:{event.what}:{event.pk}").count() != 1
    ]
    wanted = ServiceReleases(Service.objects.get()).wanted()
    if {(one.live.number) for one in wanted.slots.values()} != live:
        wrong.append(f"a gateway would serve {wanted}")
    connections.close_all()
    return wrong


def main() -> None:
    """Every step: killed before its commit, which changes nothing; killed after it, which undoes nothing."""
    assert in_fork(prepare) == 0
    folder = Path(tempfile.mkdtemp(dir=settings.MOP_HOME))
    steps = []
    for step, (what, act) in enumerate(STEPS):
        before = state()
        for side in ("before", "after"):
            point = failpoints.file_of(folder, f"{side} release {what}")
            point.touch()
            died = in_fork(act, folder)
            now = state()
            steps.append(
                {
                    "step": f"{step} {what} {side}",
                    "killed": os.WIFSIGNALED(died) and os.WTERMSIG(died) == signal.SIGKILL and not point.exists(),
                    "changed": now != before,
                    "faults": faults(),
                }
            )
    # what is done cannot be done again
    last = state()
    again = [os.waitstatus_to_exitcode(in_fork(act)) for _, act in (STEPS[1], STEPS[2])]
    json.dump({"steps": steps, "again": again, "is_same": state() == last, "last": last}, sys.stdout, default=str)


def prepare() -> None:
    """A service with a webhook, and three versions of a model for two of its tasks."""
    service = make_service()
    create_webhook(actor=ACTOR, url=f"https://{HOST}/releases", owner=owner_of(service.pk))
    model = make_releasable(make_task(taxonomy="Hate"), make_task(taxonomy="Sexual")).model
    next_version(model, "v2.0.0")
    next_version(model, "v3.0.0")


def request(version: str) -> Callable[[], object]:
    """An owner requests the release of a version."""
    return lambda: requested(Revision.objects.get(model=Model.objects.get(), version=version), Service.objects.get())


def first_of(version: str) -> Release:
    """The first release of a version; to roll back makes another one."""
    found = Release.objects.filter(version=version).order_by("pk").first()
    assert found is not None
    return found


def approve(version: str, share: int | None = None) -> Callable[[], object]:
    """An admin approves it."""

    def act() -> None:
        service = Service.objects.get()
        admin = admin_of(service)
        release = first_of(version)
        approve_release(actor=actor_of(admin), user=admin, release=release, comment="yes", canary_share=share)

    return act


def take(version: str) -> Callable[[], object]:
    """A gateway switches to it."""

    def act() -> None:
        assert ServiceReleases(Service.objects.get()).take(first_of(version).pk)

    return act


def end_canary() -> None:
    """A gateway ends a canary."""
    ServiceReleases(Service.objects.get()).end_canary(first_of("v3.0.0").pk, "too many errors")


def back() -> None:
    """An admin rolls back."""
    service = Service.objects.get()
    admin = admin_of(service)
    roll_back(actor=actor_of(admin), user=admin, release=first_of("v2.0.0"), comment="worse")


STEPS: tuple[tuple[str, Callable[[], object]], ...] = (
    ("requested", request("v1.0.0")),
    ("approved", approve("v1.0.0")),
    ("released", take("v1.0.0")),
    ("requested", request("v2.0.0")),
    ("approved", approve("v2.0.0")),
    ("retired", take("v2.0.0")),  # of the version before it, in the same transaction
    ("requested", request("v3.0.0")),
    ("canaryStarted", approve("v3.0.0", 10)),
    ("canaryEnded", end_canary),
    ("released", back),
)

if __name__ == "__main__":
    main()
