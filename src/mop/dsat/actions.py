"""What is recorded of DSAT cases. No record holds content, description, tags or trace id."""

from __future__ import annotations

from mop.areas.words import AuditAction


class Action(AuditAction):
    """Actions of this area."""

    CASE_STATE = "dsat_case.state"
    CASE_CHANGED = "dsat_case.changed"
    CASE_ASSIGNED = "dsat_case.assigned"
    CASE_RESTRICTED = "dsat_case.restricted"
    CASE_OPENED = "dsat_case.opened"
    CASE_COMMENTED = "dsat_case.commented"
    CASE_DELETED = "dsat_case.deleted"
    CASES_EXPIRED = "dsat_case.expired"
    IMPORT_STATE = "dsat_import.state"
    IMPORT_DELETED = "dsat_import.deleted"
    ACCESS_GRANTED = "dsat_access.granted"
    ACCESS_WITHDRAWN = "dsat_access.withdrawn"
