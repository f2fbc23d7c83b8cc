"""Requesting releases and deciding about them: preconditions, who may, what changed, one decision."""

from __future__ import annotations

import pytest
from django.utils import timezone

from mop.accounts.belongings import belongings_of, hand_over
from mop.accounts.models import User
from mop.accounts.services import actor_of, change_email
from mop.audit.models import AuditEvent
from mop.contract_runs.services import add_task, disconnect_task
from mop.datasets.services import delete_dataset
from mop.errors import ConflictError, NotAllowedError, NotFoundError, ValidationFailedError
from mop.evaluation.models import Evaluation
from mop.onboarding.models import ConverterProof
from mop.onboarding.proofs import record_proofs
from mop.registry.models import Revision
from mop.registry.publishing import unpublish_revision
from mop.registry.services import add_owner, delete_model, delete_revision, remove_owner
from mop.registry.statuses import RevisionStatus
from mop.regression.models import RegressionRun
from mop.releases.models import Policy, Service, ServiceKind
from mop.releases.release_models import Release
from mop.releases.requests.deciding import (
    approve_release,
    current_evidence,
    reject_release,
    request_release,
    withdraw_release,
)
from mop.releases.requests.evidence import changes_between
from mop.releases.selectors import get_service
from mop.releases.services import change_gate, change_service
from support.contract_runs import prove
from support.evaluation_results import approved_dataset, evaluate
from support.factories import ACTOR, make_task, make_user, put
from support.releases import (
    admin_of,
    approved,
    live,
    make_releasable,
    make_service,
    next_version,
    releasable,
    requested,
)
from support.scans import BLOCKS, keep_scan

pytestmark = pytest.mark.django_db


def _approve(release: Release, user: User | None = None, **given: object) -> Release:
    person = user or admin_of(release.service)
    return approve_release(actor=actor_of(person), user=person, release=release, comment="ok", **given)  # type: ignore[arg-type]


def test_a_release_goes_from_request_to_approval_with_its_evidence():
    service = make_service()
    release = _approve(requested(make_releasable(make_task()), service))
    assert (release.state, release.decision_comment) == ("approved", "ok")
    assert release.evidence_at_request == release.evidence_at_decision or not changes_between(
        release.evidence_at_request, release.evidence_at_decision or {}
    )
    assert [one["holds"] for one in release.evidence_at_request["preconditions"]] == [True] * 7
    actions = AuditEvent.objects.filter(object_type="release").order_by("pk").values_list("action", flat=True)
    assert list(actions) == ["release.requested", "release.approved"]


@pytest.mark.parametrize(
    ("spoil", "reason"),
    [
        (lambda one: put(Revision.objects.filter(pk=one.pk), status=RevisionStatus.OUTDATED), "It is outdated"),
        (lambda one: put(Revision.objects.filter(pk=one.pk), publish_status="private"), "It is private"),
        (lambda one: keep_scan(one, BLOCKS), "of its findings block"),
        (lambda one: one.scans.all().delete(), "not scanned yet"),
        (lambda one: one.task_proofs.all().delete(), "was not proved with"),
        (lambda one: ConverterProof.objects.filter(revision=one).delete(), "Text: not tried yet"),
        (lambda one: RegressionRun.objects.filter(revision=one).delete(), "There is none"),
        (lambda one: RegressionRun.objects.filter(revision=one).update(state="failed"), "It is failed"),
        (lambda one: record_proofs(one.pk, (), {"Text": "It returned None."}), "It returned None."),
    ],
)
def test_each_precondition_is_refused_with_its_reason(spoil, reason: str):
    revision = make_releasable(make_task())
    spoil(revision)
    revision.refresh_from_db()
    with pytest.raises(ConflictError, match=reason):
        requested(revision, make_service())


def test_a_service_of_aacs_takes_its_categories_on_text_and_image_alone():
    jailbreak, hate = make_task(taxonomy="Jailbreak"), make_task(taxonomy="Hate")
    revision = make_releasable(jailbreak, hate)
    service = make_service()
    with pytest.raises(ConflictError, match="none for Jailbreak, Text"):
        requested(revision, service, "Hate", "Jailbreak")
    assert [str(one) for one in requested(revision, service).tasks.all()] == ["Hate, Text"]
    orchestrator = make_service("RAIO", kind=ServiceKind.RAIO)
    ConverterProof.objects.all().delete()
    assert [str(one) for one in requested(revision, orchestrator).tasks.all()] == ["Hate, Text", "Jailbreak, Text"]
    with pytest.raises(ValidationFailedError, match="resolves no task of Sexual"):
        requested(revision, service, "Sexual")


def test_a_gate_that_does_not_pass_blocks_or_asks_for_a_reason():
    revision = make_releasable(make_task())
    blocking, warning = make_service(policy=Policy.BLOCK), make_service("warns")
    for service in (blocking, warning):
        change_gate(actor=ACTOR, owner=service, conditions="all datasets: macro F1 >= 0.8")
    with pytest.raises(ConflictError, match="1 gate condition is not measured; Content Safety takes only") as caught:
        requested(revision, blocking)
    assert "all datasets: macro F1 >= 0.8 (of service Content Safety): " in caught.value.message
    owner = revision.model.owners.get()
    with pytest.raises(ValidationFailedError, match="give a reason"):
        request_release(actor=actor_of(owner), user=owner, revision=revision, service=warning)
    release = requested(revision, warning)
    change_service(
        actor=ACTOR, service=warning, description="", contact="", policy=Policy.BLOCK, admins=[admin_of(warning)]
    )
    release.refresh_from_db()
    now = current_evidence(Release.objects.get(pk=release.pk))
    with pytest.raises(ConflictError, match="takes only what passes"):
        _approve(release, evidence=now.digest)


def test_approval_after_the_evidence_changed_is_refused_with_what_changed():
    task = make_task()
    service = make_service()
    release = requested(make_releasable(task), service)
    change_gate(actor=ACTOR, owner=task, conditions="DSAT pass rate >= 95 % or none")
    with pytest.raises(ConflictError, match=r"DSAT pass rate >= 95 % or none \(of task [^()]*\): pass") as caught:
        _approve(release)
    assert "since the request" in caught.value.message
    assert Release.objects.get(pk=release.pk).state == "requested"
    now = current_evidence(Release.objects.get(pk=release.pk))
    assert _approve(release, evidence=now.digest).evidence_digest == now.digest


def test_of_changed_conditions_those_alone_are_told_that_came_out_otherwise():
    task = make_task("hate in posts")
    kept = "DSAT pass rate >= 95 % or none"
    change_gate(actor=ACTOR, owner=task, conditions=f"{kept}\nopen findings <= 100")
    release = requested(make_releasable(task), make_service())
    told = []
    for conditions in (f"{kept}\nopen findings <= 90", f"# why\n{kept}\nopen findings <= 100"):
        change_gate(actor=ACTOR, owner=task, conditions=conditions)
        told.append(changes_between(release.evidence_at_request, current_evidence(release).document))
    assert told == [
        [
            "The conditions of task hate in posts were changed: version 2 holds.",
            "open findings <= 90 (of task hate in posts): pass.",
            "No longer asked: open findings <= 100 (of task hate in posts): pass.",
        ],
        ["The conditions of task hate in posts were changed: version 3 holds."],
    ]


def test_what_was_measured_stays_in_the_evidence_when_its_dataset_is_deleted():
    task = make_task()
    dataset = approved_dataset(task)
    change_gate(actor=ACTOR, owner=task, conditions="all datasets: macro F1 >= 0.1")
    revision = make_releasable(task)
    evaluate(revision)
    release = _approve(requested(revision, make_service()))
    evidence = release.evidence_at_decision
    assert dataset.name in str(evidence)
    delete_dataset(actor=actor_of(dataset.owners.get()), dataset=dataset)
    assert not Evaluation.objects.exists()
    release.refresh_from_db()
    assert release.evidence_at_decision == evidence


def test_what_is_live_is_part_of_the_evidence():
    task, service = make_task(), make_service()
    release = requested(make_releasable(task), service)
    live(make_releasable(task), service)
    with pytest.raises(ConflictError, match="What is live for the service"):
        _approve(release)


def test_neither_requester_nor_owner_approves_and_no_other_account_of_theirs():
    admin, second, third = make_user(), make_user(), make_user()
    service = make_service(admins=[admin, second, third])
    revision = make_releasable(make_task(), owner=admin)
    with pytest.raises(NotAllowedError, match="than the requester"):
        _approve(requested(revision, service), admin)
    release = Release.objects.get()
    for person in (second, admin):
        change_email(actor=ACTOR, user=person, email="one@person.example")
    with pytest.raises(NotAllowedError, match="no owner of the model"):
        _approve(release, second)
    # an address that people change themselves makes nobody another person
    change_email(actor=ACTOR, user=second, email="Another@person.example")
    change_email(actor=ACTOR, user=admin, email="")
    with pytest.raises(NotAllowedError, match="no owner of the model"):
        _approve(release, second)
    # who gives up ownership after the request is still one of those who offered it
    add_owner(actor=ACTOR, model=revision.model, user=third)
    withdraw_release(actor=ACTOR, release=release)
    release = requested(revision, service)
    remove_owner(actor=ACTOR, model=revision.model, user=third)
    with pytest.raises(NotAllowedError, match="no owner of the model"):
        _approve(release, third)


def test_an_installation_may_let_its_single_admin_approve_and_shows_it(settings):
    admin = make_user()
    service = make_service(admins=[admin])
    release = requested(make_releasable(make_task(), owner=admin), service)
    with pytest.raises(NotAllowedError):
        _approve(release)
    settings.MOP_SINGLE_ADMIN_APPROVES = True
    assert _approve(release).is_self_approved
    two = make_service("two", admins=[admin, make_user()])
    with pytest.raises(NotAllowedError):
        _approve(requested(Revision.objects.get(), two), admin)


def test_a_revoked_role_and_a_disabled_person_do_not_decide():
    admin, other = make_user(), make_user()
    service = make_service(admins=[admin, other])
    release = requested(make_releasable(make_task()), service)
    change_service(actor=ACTOR, service=service, description="", contact="", policy=Policy.WARN, admins=[other])
    for decide in (_approve, lambda one, user: reject_release(actor=ACTOR, user=user, release=one, comment="no")):
        with pytest.raises(NotAllowedError, match="is no admin of Content Safety"):
            decide(release, admin)
    other.is_active = False
    other.save()
    with pytest.raises(NotAllowedError):
        _approve(release, other)


def test_a_request_is_about_what_holds_once_it_has_the_lock():
    service, owner = make_service(policy=Policy.WARN), make_user()
    revision = make_releasable(make_task(), owner=owner)
    change_gate(actor=ACTOR, owner=service, conditions="golden set pass rate >= 100 %")
    as_read = get_service(service.name)
    change_service(actor=ACTOR, service=service, policy=Policy.BLOCK)
    given = {"revision": revision, "service": as_read, "comment": "now"}
    with pytest.raises(ConflictError, match="takes only what passes"):
        request_release(actor=actor_of(owner), user=owner, **given)
    with pytest.raises(NotAllowedError, match="no owner"):
        request_release(actor=ACTOR, user=make_user(), **given)
    delete_model(actor=ACTOR, model=revision.model)
    with pytest.raises(ConflictError, match="was deleted"):
        request_release(actor=actor_of(owner), user=owner, **given)


def test_of_two_decisions_the_second_is_told_of_the_first():
    first, second = make_user("first-admin"), make_user()
    service = make_service(admins=[first, second])
    release = requested(make_releasable(make_task()), service)
    _approve(release, first)
    with pytest.raises(ConflictError, match=r"is approved since .* by first-admin"):
        _approve(release, second)
    with pytest.raises(ConflictError, match="cannot become rejected"):
        reject_release(actor=actor_of(second), user=second, release=release, comment="no")


def test_a_deleted_version_can_not_be_approved_and_its_record_stays():
    service = make_service()
    revision = make_releasable(make_task())
    release = requested(revision, service)
    next_version(revision.model)
    delete_revision(actor=ACTOR, revision=revision)
    release.refresh_from_db()
    assert (release.revision, release.version) == (None, "v1.0.0")
    with pytest.raises(NotFoundError, match="was deleted"):
        _approve(release)
    admin = admin_of(service)
    assert reject_release(actor=actor_of(admin), user=admin, release=release, comment="gone").state == "rejected"


def test_what_a_service_may_take_is_neither_deleted_nor_hidden_nor_disconnected():
    service = make_service()
    task, other = make_task(), make_task(taxonomy="Sexual")
    revision = make_releasable(task, other)
    approved(revision, service, "Hate")
    next_version(revision.model)
    for remove in (delete_revision, unpublish_revision):
        with pytest.raises(ConflictError, match="is approved for Content Safety"):
            remove(actor=ACTOR, revision=revision)
    with pytest.raises(ConflictError, match="cannot be disconnected"):
        disconnect_task(actor=ACTOR, model=revision.model, task=task)
    disconnect_task(actor=ACTOR, model=revision.model, task=other)


def test_a_request_is_for_its_tasks_and_no_others_that_are_connected_meanwhile():
    service = make_service()
    asked, kept = make_task("hate as asked"), make_task(taxonomy="Sexual")
    revision = make_releasable(asked, kept)
    release = requested(revision, service)
    disconnect_task(actor=ACTOR, model=revision.model, task=asked)
    other = make_task("another hate")
    add_task(actor=ACTOR, model=revision.model, task=other)
    prove(revision)
    now = current_evidence(release)
    assert [one["task"] for one in now.document["tasks"]] == [kept.name]
    assert "not connected to hate as asked" in " ".join(changes_between(release.evidence_at_request, now.document))
    with pytest.raises(ConflictError, match="not connected to hate as asked") as caught:
        _approve(release, evidence=now.digest)
    assert "reject the release" in caught.value.hint
    disconnect_task(actor=ACTOR, model=revision.model, task=other)
    add_task(actor=ACTOR, model=revision.model, task=asked)
    assert _approve(release).state == "approved"


def test_the_same_is_not_requested_twice():
    service = make_service()
    revision = make_releasable(make_task())
    release = requested(revision, service)
    with pytest.raises(ConflictError, match=f"release {release.pk} is requested"):
        requested(revision, service)
    withdraw_release(actor=ACTOR, release=release)
    live(revision, service)
    with pytest.raises(ConflictError, match="is live in Content Safety already"):
        requested(revision, service)
    requested(next_version(revision.model), service)


def test_a_decision_needs_a_comment():
    release = requested(make_releasable(make_task()), make_service())
    admin = admin_of(release.service)
    with pytest.raises(ValidationFailedError, match="give a reason"):
        approve_release(actor=ACTOR, user=admin, release=release, comment="  ")
    with pytest.raises(ValidationFailedError, match="give a reason"):
        reject_release(actor=ACTOR, user=admin, release=release, comment="")
    with pytest.raises(ValidationFailedError, match="4,000 are allowed"):
        reject_release(actor=ACTOR, user=admin, release=release, comment="x" * 4001)


def test_a_version_that_fell_meanwhile_is_not_approved():
    release = requested(make_releasable(make_task()), make_service())
    put(Revision.objects.all(), status=RevisionStatus.VULNERABLE, status_changed_at=timezone.now())
    with pytest.raises(ConflictError, match="It is vulnerable"):
        _approve(release)


def test_services_have_no_say_over_each_other():
    mine, theirs = make_service(), make_service("other")
    release = requested(make_releasable(make_task()), mine)
    with pytest.raises(NotAllowedError):
        _approve(release, admin_of(theirs))
    assert Service.objects.count() == 2
    assert releasable(Revision.objects.get()) is not None


def test_a_leaver_s_services_are_listed_and_handed_over():
    leaver, other, follower = make_user(), make_user(), make_user()
    alone, shared = make_service("alone", admins=[leaver]), make_service("shared", admins=[leaver, other, follower])
    make_service("theirs", admins=[other])
    (services,) = belongings_of(leaver)
    assert services.label == "Downstream services"
    assert services.things == [("alone", "/services/alone/"), ("shared", "/services/shared/")]
    waiting = requested(make_releasable(make_task()), alone)
    assert hand_over(actor=ACTOR, user=leaver, to=follower) == 2
    assert belongings_of(leaver) == []
    assert [set(one.admins.all()) for one in (alone, shared)] == [{follower}, {other, follower}]
    with pytest.raises(NotAllowedError):
        _approve(waiting, leaver)
    assert _approve(waiting, follower).state == "approved"
    events = AuditEvent.objects.filter(action="service.changed").order_by("pk")
    assert [event.data["after"]["admins"] for event in events] == [
        [follower.username],
        sorted([other.username, follower.username]),
    ]
