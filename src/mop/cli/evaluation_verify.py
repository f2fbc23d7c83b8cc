"""`mop evaluation verify`: computes an evaluation again with other code, on a worker host."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from mop.cli.platforms import require_linux
from mop_client.cli.exit_codes import ExitCode
from mop_client.cli.options import JsonFlag
from mop_client.cli.output import print_columns, print_json, say

if TYPE_CHECKING:
    from mop.evaluation.checks import Check
    from mop.evaluation.models import Evaluation

app = typer.Typer()


@app.command()
def verify(
    model: Annotated[str, typer.Argument(help="Name of the model.", show_default=False)],
    version: Annotated[str, typer.Argument(help="The version.", show_default=False)],
    *,
    dataset: Annotated[str, typer.Option(help="Only the evaluation on this dataset.", show_default="all")] = "",
    rows: Annotated[int, typer.Option(min=0, help="Random rows that are inferred again; 0 starts no service.")] = 200,
    as_json: JsonFlag = False,
) -> None:
    """Compute every number of a version's evaluations again, with scikit-learn; for administrators, on a worker host.

    Exit code: 0 when every number holds, 1 when one does not.
    """
    require_linux("evaluation verify")
    from mop.cli.installation import open_settings

    open_settings()
    import asyncio

    found = asyncio.run(_verified(model, version, dataset, rows))
    if as_json:
        print_json([_document(evaluation, checks) for evaluation, checks in found])
    else:
        for evaluation, checks in found:
            _show(evaluation, checks)
    holds = all(check.holds for _, checks in found for check in checks)
    raise typer.Exit(ExitCode.DONE if holds else ExitCode.FAILED)


async def _verified(model: str, version: str, dataset: str, rows: int) -> list[tuple[Evaluation, list[Check]]]:
    from asgiref.sync import sync_to_async

    from mop.evaluation.verification import verify_evaluation
    from mop.hosting.tools import host_lock

    evaluations = await sync_to_async(_evaluations)(model, version, dataset)
    async with host_lock().shared(say):
        return [(one, await verify_evaluation(one, again=rows)) for one in evaluations]


def _evaluations(model: str, version: str, dataset: str) -> list[Evaluation]:
    from mop.errors import NotFoundError
    from mop.evaluation.models import Evaluation

    found = Evaluation.objects.filter(
        revision__model__name=model, revision__version=version, measured_at__isnull=False
    ).select_related(
        "revision__model__team",
        "revision__instance_type",
        "dataset__file",
        "dataset__reading",
        "task__taxonomy",
        "result",
    )
    if dataset:
        found = found.filter(dataset__name=dataset)
    if not (evaluations := list(found)):
        of = f"{model} {version}" + f" on {dataset}" * bool(dataset)
        raise NotFoundError(
            f"There is no finished evaluation of {of}.", hint="`mop evaluation list` shows how far they are."
        )
    return evaluations


def _document(evaluation: Evaluation, checks: list[Check]) -> dict[str, Any]:
    return {
        "dataset": evaluation.dataset.name,
        "task": evaluation.task.name,
        "holds": all(check.holds for check in checks),
        "checks": [
            {"name": check.name, "kept": check.kept, "computed": check.computed, "holds": check.holds}
            for check in checks
        ],
    }


def _show(evaluation: Evaluation, checks: list[Check]) -> None:
    failed = sum(not check.holds for check in checks)
    say(f"{evaluation}: {len(checks)} numbers computed again, {failed or 'none'} differ{'s' * (failed == 1)}")
    print_columns(
        ("NUMBER", "KEPT", "COMPUTED", "HOLDS"),
        [
            (check.name, _number(check.kept), _number(check.computed), "yes" if check.holds else "NO")
            for check in checks
        ],
    )


def _number(value: float | None) -> str:
    return "undefined" if value is None else f"{value:.6g}"
