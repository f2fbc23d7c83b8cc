"""Looks for the area of greetings everywhere in an installation that has it; prints what was found as JSON.

It runs in a process of its own, in which Django is set up already: which areas there are is settled when a process
starts.
"""

from __future__ import annotations

import asyncio
import contextlib
import dataclasses
import io
import json
from typing import Any

from dbos import DBOS
from django.conf import settings
from django.db import transaction
from django.test import Client
from django.test.utils import setup_test_environment

from mop.areas import registry
from mop.audit.models import AuditEvent
from mop.cli.main import run
from mop.engine import schedules
from mop.engine.database import in_database
from mop.engine.job import sweep_lost_enqueues
from mop.errors import ConflictError
from mop.notifications.models import Notification
from mop.pipeline.stages import begin_stage, stages
from mop.registry.models import Revision
from mop.registry.services import delete_model
from mop.worker.areas import register_schedules
from mop.worker.host import queues_of, start
from mop.worker.setup import prepare_databases
from support.addresses import without_row
from support.api import Api
from support.factories import ACTOR, make_model, make_token, make_user
from support.permission_table import render
from support.prepared import copy_tables


def main() -> None:
    setup_test_environment()
    copy_tables(settings.MOP_HOME)
    prepare_databases()  # the tables of the area itself
    found = {**asked(), **at_the_terminal(), **permissions(), **pipeline(), "swept": sweep_lost_enqueues()}
    found |= asyncio.run(worked(found["asked"]))
    found |= afterwards()
    print(json.dumps(found))  # noqa: T201 - what the test reads


def asked() -> dict[str, Any]:
    """The portal's page and navigation, and the API."""
    user = make_user("ada")
    browser, api = Client(), Api(token=make_token(user))
    browser.force_login(user)
    return {
        "page": browser.get("/greetings/").content.decode(),
        "anonymous": Client().get("/greetings/").headers["Location"],
        "tasks": browser.get("/tasks/").content.decode(),
        "settings": browser.get("/notifications/settings/").content.decode(),
        "operations": list(api.get("/openapi.json").json()["paths"]),
        "asked": api.post("/greetings").json()["id"],
        "refused": Api().post("/greetings").status_code,
    }


def at_the_terminal() -> dict[str, Any]:
    texts = []
    for arguments in (["--help"], ["greet", "Ada"]):
        with contextlib.redirect_stdout(io.StringIO()) as shown:
            code = run(arguments)
        texts.append(shown.getvalue())
    return {"help": texts[0], "greeted": texts[1], "exit": code}


def permissions() -> dict[str, Any]:
    """The document, and the addresses without a row: as it is, and if the area had none."""
    document, missing = render(), without_row()
    area = registry._areas["greetings"]
    registry._areas["greetings"] = dataclasses.replace(area, permissions=None)
    try:
        without = without_row()
    finally:
        registry._areas["greetings"] = area
    return {"document": document, "missing": missing, "missing_without_rows": without}


def pipeline() -> dict[str, Any]:
    """The stages, what the area's gives the pipeline for two versions, and its guard. Nothing of it stays."""
    turns, refusal = [], ""
    with transaction.atomic():
        revision = make_model().revisions.get()
        for version in ("v1", "hello"):
            Revision.objects.filter(pk=revision.pk).update(version=version)
            turns.append(begin_stage(stages()[-1], str(revision.pk), 1))
        try:
            delete_model(actor=ACTOR, model=revision.model)
        except ConflictError as error:
            refusal = error.message
        transaction.set_rollback(True)
    return {"stages": [stage.name for stage in stages()], "turns": turns, "refusal": refusal}


async def worked(greeting: str) -> dict[str, Any]:
    """What becomes of a greeting when a worker starts, and what this worker does besides."""
    queues = await in_database(queues_of)(())
    register_schedules()
    await start("look", queues)
    work = await DBOS.retrieve_workflow_async(greeting)
    shown = {
        "result": await work.get_result(),
        "queue": (await work.get_status()).queue_name,
        "queues": [queue.name for queue in queues],
        "schedules": list(schedules._jobs),
    }
    DBOS.destroy()
    return shown


def afterwards() -> dict[str, Any]:
    events = AuditEvent.objects.filter(object_type="greeting").order_by("id")
    return {
        "audit": list(events.values_list("actor_label", "action", "object_label")),
        "told": [[told.title, told.get_kind().label] for told in Notification.objects.all()],
    }
