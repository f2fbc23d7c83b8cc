"""The audit log as people read it: one page for all of it, and each object's own history."""

from __future__ import annotations

from mop.areas.area import Area, Urls
from mop.areas.navigation import NavEntry, NavGroup
from mop.areas.portal_extensions import ExtensionPoint, PortalExtension
from mop.areas.references import Ref

AREA = Area(
    name="history",
    routers=(Ref("mop.history.api:router"),),
    urls=(Urls("mop.history.urls"),),
    permissions=Ref("mop.history.permissions:PERMISSIONS"),
    navigation=(
        NavEntry(
            "Audit log",
            "columns",
            "history:audit",
            order=90,
            group=NavGroup.ADMINISTRATION,
            permission="history.view_all",
        ),
    ),
    portal_extensions=(
        PortalExtension(ExtensionPoint.MODEL_SECTIONS, Ref("mop.history.portal_extensions:of_model")),
        PortalExtension(ExtensionPoint.TASK_SECTIONS, Ref("mop.history.portal_extensions:of_task")),
        PortalExtension(ExtensionPoint.DATASET_SECTIONS, Ref("mop.history.portal_extensions:of_dataset")),
    ),
)
