"""Tasks, taxonomies and instance types as an area."""

from __future__ import annotations

from mop.areas.area import Area, Commands, Urls
from mop.areas.navigation import NavEntry, NavGroup
from mop.areas.references import Ref
from mop.catalog.actions import Action

AREA = Area(
    name="catalog",
    routers=(Ref("mop.catalog.api:router"),),
    urls=(Urls("mop.catalog.urls"),),
    permissions=Ref("mop.catalog.permissions:PERMISSIONS"),
    navigation=(
        NavEntry("Tasks", "tasks", "catalog:tasks", order=30),
        NavEntry(
            "Taxonomies",
            "taxonomies",
            "catalog:taxonomies",
            order=20,
            group=NavGroup.ADMINISTRATION,
            permission="catalog.define",
        ),
        NavEntry(
            "Instance types",
            "machines",
            "catalog:instance_types",
            order=21,
            group=NavGroup.ADMINISTRATION,
            permission="catalog.define",
        ),
    ),
    belongings=(Ref("mop.catalog.belongings:tasks_of"),),
    audit_actions=Action,
    commands=(
        Commands(Ref("mop_client.cli.task_list:app"), order=76, group="task"),
        Commands(Ref("mop_client.cli.task_edit:app"), order=76, group="task"),
        Commands(Ref("mop_client.cli.taxonomy:app"), order=76),
        Commands(Ref("mop_client.cli.instance_type:app"), order=76),
    ),
    searches=(Ref("mop.catalog.search:TASKS"),),
)
