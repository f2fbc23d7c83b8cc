"""Hidden content through a version's model: a fresh service answers, is killed, and another one goes on where it ended.

Evaluations, golden sets and regression tests ask so. What the model wrote, raised and ended with is dropped: of errors
the catalogue's names remain.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable

from mop.engine.database import in_database
from mop.errors import EvaluationMappingError, HostLostError
from mop.hosting.jobs import RevisionJob
from mop.hosting.service import ServiceObserver, fresh_service
from mop.onboarding.contract import TaskInput
from mop.onboarding.probes import probes_for
from mop.serving.row_runner import ServiceGaveUpError
from mop.serving.service import Service
from mop_utils.output_rules import check_output

STARTS = 3  # of the service without a further row; what is lost so often will be lost again
GIVEN_UP_MAX = 50  # services whose model ended again and again
MAPPING_RULES = ("TaxonomyMisMatchError", "TaskLabelMismatchError")
ALSO_MAX = 20

logger = logging.getLogger(__name__)


class Notes(ServiceObserver):
    """Tells those who look what a run waits for, beside the run.

    Args:
        say: writes one line to the database.
    """

    def __init__(self, say: Callable[[str], None]) -> None:
        self._say = in_database(say)
        self._telling: set[asyncio.Task[None]] = set()

    def waits_for_room(self, line: str) -> None:
        self.tell(line)

    def tell(self, line: str) -> None:
        task = asyncio.ensure_future(self._say(line))
        self._telling.add(task)
        task.add_done_callback(self._telling.discard)


async def answer_all(
    job: RevisionJob,
    *,
    left: Callable[[], Awaitable[int]],
    ask: Callable[[Service], Awaitable[None]],
    observer: ServiceObserver,
) -> None:
    """Ask until nothing is left; with another fresh service when one is lost or gave up.

    Args:
        job: which version.
        left: how many rows have no outcome yet.
        ask: lets a service answer them, in an order that does not change; called again after a loss.
        observer: follows each service on its way up.

    Raises:
        MopError: the service cannot be had, or gives up again and again without one further row.
    """
    lost = given_up = 0
    while before := await left():
        try:
            async with fresh_service(job, log=_dropped, observer=observer) as hosted:
                await ask(hosted.service)
        except ServiceGaveUpError as error:
            given_up += 1
            if given_up >= GIVEN_UP_MAX or await left() == before:
                raise error.cause from error
        except HostLostError:
            lost = 0 if await left() < before else lost + 1
            if lost >= STARTS:
                raise
            logger.warning("%s goes on with another service", job.spec.name)


async def prove_mapping(task: TaskInput, service: Service) -> None:
    """The model's labels are the task's: seen on an input of MOP's own, before any row.

    Raises:
        EvaluationMappingError: they are not.
    """
    output = await service.score(probes_for(task.modality)[0].item, mop=True)
    broken = [one for one in check_output(output, [task.contract()]) if one.error in MAPPING_RULES]
    if broken:
        raise EvaluationMappingError(broken[0].message, also=[one.message for one in broken[1 : 1 + ALSO_MAX]])


def _dropped(_line: str) -> None:
    """Keep nothing."""
