"""Evaluation datasets as an area."""

from __future__ import annotations

from mop.areas.area import Area, ArtifactColumn, Commands, Urls
from mop.areas.navigation import NavEntry
from mop.areas.portal_extensions import ExtensionPoint, PortalExtension
from mop.areas.references import Ref, Setting
from mop.areas.work import Queue, Workflow
from mop.datasets.actions import Action
from mop.datasets.kinds import Kind

VERIFY = Workflow(
    "datasets.verify",
    Ref("mop.datasets.workflows:verify"),
    Queue("datasets", Setting("MOP_DATASET_CONCURRENCY")),
)

AREA = Area(
    name="datasets",
    routers=(Ref("mop.datasets.requests_api:router"), Ref("mop.datasets.api:router")),
    urls=(Urls("mop.datasets.urls"),),
    permissions=Ref("mop.datasets.permissions:PERMISSIONS"),
    navigation=(NavEntry("Evaluation Datasets", "datasets", "datasets:datasets", order=40, also=("/add-datasets/",)),),
    portal_extensions=(
        PortalExtension(ExtensionPoint.HOME, Ref("mop.datasets.home:requests")),
        PortalExtension(ExtensionPoint.HOME, Ref("mop.datasets.home:datasets")),
        PortalExtension(ExtensionPoint.ACCOUNT_SECTIONS, Ref("mop.datasets.portal_extensions:my_requests")),
        PortalExtension(
            ExtensionPoint.TASK_SECTIONS, Ref("mop.datasets.portal_extensions:connection_requests"), order=-2
        ),
        PortalExtension(ExtensionPoint.TASK_SECTIONS, Ref("mop.datasets.portal_extensions:approved_datasets")),
    ),
    searches=(Ref("mop.datasets.search:DATASETS"),),
    workflows=(VERIFY,),
    jobs=(Ref("mop.datasets.readings:READING_JOB"),),
    belongings=(Ref("mop.datasets.belongings:datasets_of"),),
    audit_actions=Action,
    notification_kinds=Kind,
    artifacts=(
        ArtifactColumn("datasets_reading", "artifact_digest"),
        ArtifactColumn("datasets_reading", "rows_artifact_digest"),
    ),
    commands=(
        Commands(Ref("mop_client.cli.dataset:app"), order=70),
        Commands(Ref("mop.cli.dataset_check:app"), order=71, group="dataset"),
        Commands(Ref("mop_client.cli.task:app"), order=75),
    ),
)
