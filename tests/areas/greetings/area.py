"""Greetings as an area."""

from __future__ import annotations

from areas.greetings.words import Action, Kind
from mop.areas.area import Area, Commands, Urls
from mop.areas.navigation import NavEntry
from mop.areas.portal_extensions import ExtensionPoint, PortalExtension
from mop.areas.references import Ref
from mop.areas.work import Queue, Schedule, Stage, StagePosition, Workflow

ANSWER = Workflow("greetings.answer", Ref("areas.greetings.workflows:answer"), Queue("greetings", 1))

AREA = Area(
    name="greetings",
    routers=(Ref("areas.greetings.api:router"),),
    urls=(Urls("areas.greetings.urls"),),
    permissions=Ref("areas.greetings.permissions:PERMISSIONS"),
    navigation=(NavEntry("Greetings", "tasks", "greetings:greetings", order=90),),
    portal_extensions=(PortalExtension(ExtensionPoint.HEADER, Ref("areas.greetings.views:in_header")),),
    workflows=(ANSWER,),
    jobs=(Ref("areas.greetings.services:JOB"),),
    schedules=(Schedule("greetings.count", 3600.0, Ref("areas.greetings.services:answered")),),
    stages=(
        Stage(
            name="greet",
            position=StagePosition.GATES + 10,  # behind the product's own
            workflow=ANSWER,
            applies=Ref("areas.greetings.services:may_be_greeted"),
            begin=Ref("areas.greetings.services:turn_of"),
            step="pipeline.greet",
        ),
    ),
    audit_actions=Action,
    notification_kinds=Kind,
    deletion_guards=(Ref("areas.greetings.services:held"),),
    commands=(Commands(Ref("areas.greetings.commands:app"), order=900),),
)
