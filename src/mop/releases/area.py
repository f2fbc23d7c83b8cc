"""Releases as an area: downstream services, the gates of tasks and services, and releases to services."""

from __future__ import annotations

from mop.areas.area import Area, ArtifactColumn, Commands, Urls
from mop.areas.navigation import NavEntry
from mop.areas.portal_extensions import ExtensionPoint, PortalExtension
from mop.areas.references import Ref
from mop.areas.work import Queue, Schedule, Stage, StagePosition, Workflow
from mop.releases.actions import Action
from mop.releases.bundles.names import QUEUE, WORKFLOW
from mop.releases.kinds import Kind

JUDGE_SECONDS = 60.0

BUNDLE = Workflow(WORKFLOW, Ref("mop.releases.bundles.workflows:make"), Queue(QUEUE, 1))

AREA = Area(
    name="releases",
    routers=(
        Ref("mop.releases.api:router"),
        Ref("mop.releases.requests.api:router"),
        Ref("mop.releases.requests.tokens_api:router"),
        Ref("mop.releases.requests.cases_api:router"),
        Ref("mop.releases.cards.api:router"),
        Ref("mop.releases.bundles.api:router"),
    ),
    urls=(Urls("mop.releases.urls"), Urls("mop.releases.cards.urls")),
    permissions=Ref("mop.releases.permissions:PERMISSIONS"),
    navigation=(NavEntry("Releases", "releases", "releases:releases", order=50, also=("/services/", "/add-service/")),),
    portal_extensions=(
        PortalExtension(ExtensionPoint.TASK_SECTIONS, Ref("mop.releases.portal_extensions:gate_of_task")),
        PortalExtension(ExtensionPoint.REVISION_COLUMNS, Ref("mop.releases.live_column:COLUMN")),
        PortalExtension(ExtensionPoint.REVISION_CARDS, Ref("mop.releases.portal_extensions:gates_and_releases")),
        PortalExtension(ExtensionPoint.ANALYSIS, Ref("mop.releases.requests.analysis:releases_live")),
        PortalExtension(ExtensionPoint.HOME, Ref("mop.releases.requests.home:decisions")),
        PortalExtension(ExtensionPoint.HOME_CARDS, Ref("mop.releases.requests.home:live_of_teams")),
        PortalExtension(ExtensionPoint.REVISION_CARDS, Ref("mop.releases.cards.portal_extensions:card_of_revision")),
        PortalExtension(
            ExtensionPoint.RELEASE_SECTIONS, Ref("mop.releases.bundles.portal_extensions:bundle_of_release")
        ),
    ),
    stages=(
        Stage(
            name="gates",
            position=StagePosition.GATES,
            workflow=None,
            applies=Ref("mop.releases.judging:is_judged"),
            begin=Ref("mop.releases.judging:judge_for_all"),
            step="pipeline.gates",
        ),
    ),
    belongings=(Ref("mop.releases.belongings:services_of"),),
    deletion_guards=(Ref("mop.releases.requests.guards:held_by_release"),),
    unpublishing_guards=(Ref("mop.releases.requests.guards:kept_public"),),
    disconnection_guards=(Ref("mop.releases.requests.guards:held_connections"),),
    notification_kinds=Kind,
    schedules=(Schedule("releases.judge", JUDGE_SECONDS, Ref("mop.releases.judging:judge_changed")),),
    workflows=(BUNDLE,),
    jobs=(Ref("mop.releases.bundles.services:BUNDLE_JOB"),),
    artifacts=(ArtifactColumn("releases_bundle", "digest"),),
    audit_actions=Action,
    commands=(
        Commands(Ref("mop_client.cli.gate:app"), order=76),
        Commands(Ref("mop_client.cli.service:app"), order=77),
        Commands(Ref("mop_client.cli.service_token:app"), order=78, group="service"),
        Commands(Ref("mop_client.cli.service_webhook:app"), order=78, group="service"),
        Commands(Ref("mop_client.cli.release:app"), order=79),
        Commands(Ref("mop_client.cli.task_gate:app"), order=78, group="task"),
        Commands(Ref("mop_client.cli.model_card:app"), order=79, group="model"),
        Commands(Ref("mop_client.cli.bundle:app"), order=79),
        Commands(Ref("mop.cli.bundle:app"), order=80, group="bundle"),
    ),
)
