"""DSAT cases as an area."""

from __future__ import annotations

from mop.areas.area import Area
from mop.areas.references import Ref
from mop.areas.work import Queue, Workflow
from mop.dsat.actions import Action
from mop.dsat.kinds import Kind

IMPORT_FILE = Workflow("dsat.import", Ref("mop.dsat.workflows:import_file"), Queue("dsat", 1))

AREA = Area(
    name="dsat",
    workflows=(IMPORT_FILE,),
    jobs=(Ref("mop.dsat.importing:IMPORT_JOB"),),
    audit_actions=Action,
    notification_kinds=Kind,
)
