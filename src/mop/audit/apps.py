from __future__ import annotations

from mop.areas import config


class AuditConfig(config.AreaConfig):
    name = "mop.audit"
