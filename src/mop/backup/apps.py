from __future__ import annotations

from mop.areas import config


class BackupConfig(config.AreaConfig):
    name = "mop.backup"
