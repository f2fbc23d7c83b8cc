"""API of taxonomies, tasks and instance types."""

from __future__ import annotations

from typing import Annotated, Any

from django.db.models import QuerySet
from django.http import HttpRequest
from ninja import Query, Router, Status

from mop.accounts.access import caller_of
from mop.accounts.listing import list_page
from mop.accounts.references import named_in
from mop.accounts.rules import authorise
from mop.accounts.selectors import get_people, get_team
from mop.catalog.models import InstanceType, Task, Taxonomy
from mop.catalog.schemas import (
    InstanceTypeIn,
    InstanceTypeOut,
    InstanceTypePatch,
    ModalityName,
    TaskIn,
    TaskOut,
    TaskPage,
    TaskPatch,
    TaxonomyIn,
    TaxonomyOut,
    TaxonomyPatch,
)
from mop.catalog.selectors import (
    get_instance_type_by_name,
    get_task,
    get_taxonomy,
    offered_instance_types,
    tasks_for_list,
)
from mop.catalog.services import (
    change_task,
    change_taxonomy,
    create_instance_type,
    create_task,
    create_taxonomy,
    offer_instance_type,
)

router = Router(tags=["catalog"])


@router.get("/taxonomies", response=list[TaxonomyOut])
def list_taxonomies(request: HttpRequest) -> QuerySet[Taxonomy]:  # noqa: ARG001 - ninja passes it
    """Taxonomies by name."""
    return Taxonomy.objects.all()


@router.post("/taxonomies", response={201: TaxonomyOut})
def add_taxonomy(request: HttpRequest, body: TaxonomyIn) -> Status[Taxonomy]:
    """Define a taxonomy. Administrators only."""
    caller = caller_of(request)
    authorise(caller.user, "catalog.define", what="define taxonomies")
    return Status(201, create_taxonomy(actor=caller.actor, **body.dict()))


@router.patch("/taxonomies/{path:name}", response=TaxonomyOut)
def patch_taxonomy(request: HttpRequest, name: str, body: TaxonomyPatch) -> Taxonomy:
    """Change the description of a taxonomy. Administrators only."""
    caller = caller_of(request)
    authorise(caller.user, "catalog.define", what="define taxonomies")
    taxonomy = get_taxonomy(name)
    change_taxonomy(actor=caller.actor, taxonomy=taxonomy, description=body.description)
    return taxonomy


@router.get("/instance-types", response=list[InstanceTypeOut])
def list_instance_types(
    request: HttpRequest,  # noqa: ARG001 - ninja passes it
    retired: bool = False,  # noqa: FBT001, FBT002 - a query parameter
) -> QuerySet[InstanceType]:
    """Instance types that models may ask for, smallest first; with `retired` also those that are not offered."""
    return InstanceType.objects.all() if retired else offered_instance_types()


@router.post("/instance-types", response={201: InstanceTypeOut})
def add_instance_type(request: HttpRequest, body: InstanceTypeIn) -> Status[InstanceType]:
    """Define an instance type. Administrators only."""
    caller = caller_of(request)
    authorise(caller.user, "catalog.define", what="define instance types")
    return Status(201, create_instance_type(actor=caller.actor, **body.dict()))


@router.patch("/instance-types/{path:name}", response=InstanceTypeOut)
def patch_instance_type(request: HttpRequest, name: str, body: InstanceTypePatch) -> InstanceType:
    """Offer an instance type again, or retire it; one always stays. Administrators only."""
    caller = caller_of(request)
    authorise(caller.user, "catalog.define", what="define instance types")
    instance_type = get_instance_type_by_name(name)
    offer_instance_type(actor=caller.actor, instance_type=instance_type, is_offered=body.is_offered)
    return instance_type


@router.get("/tasks", response=TaskPage)
def list_tasks(
    request: HttpRequest,  # noqa: ARG001 - ninja passes it
    search: str = "",
    taxonomy: str = "",
    modality: ModalityName | None = None,
    cursor: str = "",
    limit: Annotated[int, Query(ge=1, le=200)] = 50,
) -> dict[str, Any]:
    """Tasks by name."""
    tasks = tasks_for_list(search=search, taxonomy=taxonomy, modality=modality or "")
    return list_page(tasks, field="name", descending=False, cursor=cursor, limit=limit)


@router.post("/tasks", response={201: TaskOut})
def add_task(request: HttpRequest, body: TaskIn) -> Status[Task]:
    """Define a task. Administrators only."""
    caller = caller_of(request)
    authorise(caller.user, "catalog.define", what="define tasks")
    with named_in("team"):
        team = get_team(caller.user, body.team)
    with named_in("taxonomy"):
        taxonomy = get_taxonomy(body.taxonomy)
    with named_in("owners"):
        owners = get_people(body.owners) or [caller.user]
    task = create_task(
        actor=caller.actor,
        user=caller.user,
        name=body.name,
        description=body.description,
        team=team,
        owners=owners,
        modality=body.modality,
        taxonomy=taxonomy,
        label_type=body.label_type,
        labels=body.labels,
    )
    return Status(201, task)


@router.get("/tasks/{path:name}", response=TaskOut)
def get_one_task(request: HttpRequest, name: str) -> Task:  # noqa: ARG001 - ninja passes it
    """One task by name."""
    return get_task(name)


@router.patch("/tasks/{path:name}", response=TaskOut)
def patch_task(request: HttpRequest, name: str, body: TaskPatch) -> Task:
    """Change a task's description and owners. Its owners and administrators only."""
    caller = caller_of(request)
    task = get_task(name)
    authorise(caller.user, "catalog.change_task", task, what="change this task")
    owners = None
    if body.owners is not None:
        with named_in("owners"):
            owners = get_people(body.owners, known=task.owners.all())
    change_task(actor=caller.actor, task=task, description=body.description, owners=owners)
    return get_task(name)
