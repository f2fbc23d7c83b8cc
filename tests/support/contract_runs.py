"""Contract runs in any state, made by the functions that the workflow calls. Import it when Django is set up."""

from __future__ import annotations

from mop.contract_runs.jobs import accept, begin, read_job, refuse
from mop.contract_runs.models import ContractRun
from mop.errors import MopError
from mop.onboarding.jobs import onboarding_job_of
from mop.onboarding.proofs import record_proofs
from mop.registry.models import Revision


def prove(revision: Revision) -> None:
    """The proofs that its onboarding writes before a revision is verified."""
    record_proofs(revision.pk, onboarding_job_of(revision).connected)


def pass_run(run: ContractRun) -> None:
    begin(read_job(str(run.pk), "w1").run_id)
    accept(str(run.pk), [])


def fail_run(run: ContractRun, error: MopError) -> None:
    begin(read_job(str(run.pk), "w1").run_id)
    refuse(str(run.pk), error)
