"""Models and their revisions as an area."""

from __future__ import annotations

from mop.areas.area import Area, ArtifactColumn, Commands, Urls
from mop.areas.navigation import NavEntry
from mop.areas.portal_extensions import ExtensionPoint, PortalExtension
from mop.areas.references import Ref
from mop.registry.actions import Action
from mop.registry.kinds import Kind

AREA = Area(
    name="registry",
    routers=(
        Ref("mop.registry.api:router"),
        Ref("mop.registry.revisions_api:router"),
        Ref("mop.registry.groups_api:router"),
    ),
    urls=(Urls("mop.registry.urls"),),
    permissions=Ref("mop.registry.permissions:PERMISSIONS"),
    navigation=(NavEntry("Models", "models", "registry:models", order=20, also=("/add-model/", "/groups/")),),
    portal_extensions=(
        PortalExtension(ExtensionPoint.HOME, Ref("mop.registry.home:versions")),
        PortalExtension(ExtensionPoint.MODEL_TABS, Ref("mop.registry.portal_extensions:DETAIL_TAB")),
        PortalExtension(ExtensionPoint.TASK_SECTIONS, Ref("mop.registry.portal_extensions:connected_models")),
    ),
    jobs=(Ref("mop.registry.start:PIPELINE_JOB"),),
    team_quotas=(Ref("mop.registry.quotas:VERSIONS"), Ref("mop.registry.quotas:STORED")),
    belongings=(Ref("mop.registry.belongings:models_of"), Ref("mop.registry.belongings:groups_of")),
    audit_actions=Action,
    notification_kinds=Kind,
    artifacts=(ArtifactColumn("registry_revision", "artifact_digest"),),
    commands=(
        Commands(Ref("mop_client.cli.model:app"), order=50),
        Commands(Ref("mop_client.cli.model_owners:app"), order=51, group="model"),
        Commands(Ref("mop_client.cli.model_hosts:app"), order=51, group="model"),
        Commands(Ref("mop_client.cli.group:app"), order=55),
    ),
    searches=(Ref("mop.registry.search:MODELS"),),
)
