from __future__ import annotations

from mop.areas import config


class ContractRunsConfig(config.AreaConfig):
    name = "mop.contract_runs"
