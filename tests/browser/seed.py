"""Fills a new installation with what the browser tests look at. Import it when Django is set up."""

from __future__ import annotations

import datetime as dt
from typing import Any

from django.conf import settings
from django.test import override_settings
from django.utils import timezone

from browser.browsing import PASSWORD
from browser.pages import TRIAL
from mop.accounts.models import Team, User
from mop.accounts.services import actor_of, add_member, change_email, create_team, create_user
from mop.audit.services import Actor
from mop.catalog.models import InstanceType, Task, Taxonomy
from mop.catalog.services import create_task
from mop.contract_runs.services import add_task, change_sample
from mop.datasets.bindings import approve
from mop.datasets.reading import Fault, FaultKind, Report
from mop.dsat.services import add_case
from mop.errors import (
    DiskFullError,
    EvaluationMappingError,
    OrdinalTaskLabelValueError,
    PolicyFileError,
    StorageUnavailableError,
    TaxonomyMisMatchError,
    UserScriptException,
)
from mop.evaluation.comparisons import compare_new
from mop.evaluation.services import cancel as cancel_evaluation
from mop.evaluation.services import publish as publish_result
from mop.evaluation.services import start_missing
from mop.findings.models import ScanReason
from mop.findings.rescans import end_rescan, request_rescan
from mop.findings.waivers import end_waiver
from mop.gateway.services import add_container, rotate_key
from mop.golden_sets.advance import GOLDEN
from mop.golden_sets.models import GoldenRun
from mop.golden_sets.reading import FileFormat, read_rows
from mop.golden_sets.services import start_missing as start_golden_sets
from mop.golden_sets.services import supply
from mop.notifications.alerts import raise_alert
from mop.notifications.webhooks import create_webhook
from mop.onboarding.models import LogKind, LogLine
from mop.registry.advance import advance
from mop.registry.groups import add_to_group, create_group, share_group
from mop.registry.models import Model, Revision
from mop.registry.publishing import publish_revision
from mop.registry.services import ConnectionInput, RevisionInput, add_owner, create_model, create_revision
from mop.registry.statuses import CHAIN, RevisionStatus
from mop.regression.advance import REGRESSION
from mop.regression.services import start as start_regression
from mop.releases.models import Policy, ServiceKind
from mop.releases.requests.notices import owner_of
from mop.releases.requests.tokens import create_service_token
from mop.releases.services import change_gate, create_service
from mop.scanning.findings import FileVerdict, Severity, Verdict
from mop.trials.models import Trial
from mop.trials.states import TrialState
from mop.worker.setup import prepare_databases
from support.case_runs import finished as run_finished
from support.contract_runs import fail_run, prove
from support.datasets import dataset_input, make_datasets, settled
from support.evaluation_results import approved_dataset, evaluate
from support.evaluation_results import failed as evaluation_failed
from support.evaluation_results import running as evaluation_runs
from support.load_tests import enabled, finished, running, step_result
from support.releases import live, releasable, requested
from support.scans import (
    BLOCKS,
    DIGEST,
    EVERY_ACTION,
    FILES,
    WARNS_HIGH,
    WARNS_LOW,
    WORKER,
    keep_scan,
    make_advisory,
    make_finding,
    waive,
)

SYSTEM = Actor.system("tests")
WALKED_MODELS = tuple(
    f"{part}-{hand}-{width}"
    for part in ("shared", "changed")
    for hand in ("keyboard", "mouse")
    for width in (1440, 390)
)
CONDITIONS = """all datasets: macro F1 >= 0.7
any dataset: macro F1 >= 0.99 times the previous release or none
DSAT pass rate >= 95 % or none
"""
OF_SERVICE = "load test: latency P95 < 250 ms\nopen findings high or higher <= 0"
SNAPSHOT = {"artifact_digest": DIGEST, "artifact_files": 7, "artifact_bytes": 4_200_000}
DEEP = "/".join(f"a-folder-with-a-long-name-{number}" for number in range(9))
LONG = f"model/{DEEP}.zip!{'x' * 180}.pkl"


def main() -> None:
    """Make people, tasks, and models in every state."""
    prepare_databases()
    olivia = create_user(actor=SYSTEM, username="olivia", password=PASSWORD)
    change_email(actor=SYSTEM, user=olivia, email="olivia@example.org")
    create_user(actor=SYSTEM, username="sam", password=PASSWORD)
    create_user(actor=SYSTEM, username="stella", password=PASSWORD)  # a stranger, whom no test gives anything
    ada = create_user(actor=SYSTEM, username="ada", password=PASSWORD, is_administrator=True)
    team = create_team(actor=SYSTEM, name="Moderation", description="Text and image moderation")
    for member in (olivia, ada):
        add_member(actor=SYSTEM, team=team, user=member)
    hate = make_task(ada, team, "hate-severity", "Hate", "Ordinal", ["0", "2", "4", "6"])
    violence = make_task(ada, team, "violence-binary", "Violence", "Categorical", ["0", "1"])
    model = make_model(olivia, team, "text-hate-severity", [hate, violence], "Severity of hate in text, four levels")
    first = model.revisions.get()
    verify(first)
    failed = add_version(olivia, model, "v1.0.1")
    make_verify_failed(failed)
    newest = add_version(olivia, model, "v1.0.2", sample_post_data={"text": "you are kind"})
    verify(newest)
    scan(failed, newest, ada)
    make_load_tests(first, newest)
    make_contract_runs(ada, team, first, newest)
    Trial.objects.create(
        pk=TRIAL,
        revision=newest,
        user=olivia,
        state=TrialState.CANCELLED,
        ended_at=timezone.now(),
        queue="instance:any",
    )
    for name in WALKED_MODELS:  # each of them goes at the end of its walk
        verify(make_model(olivia, team, name, [violence], "For a walk of its owner").revisions.get())
    waiting = make_model(olivia, team, "image-violence", [violence], "Waits for a host")
    building = add_version(olivia, waiting, "v1.0.1")
    go(building, RevisionStatus.ENVIRONMENT_CREATING, host="worker-1")
    broken = make_model(olivia, team, "broken-model", [hate], "Ends in an error")
    make_verify_failed(broken.revisions.get())
    later = make_model(olivia, team, "cut-off", [hate], "The storage did not answer")
    advance(
        revision_id=later.revisions.get().pk,
        attempt=1,
        to=RevisionStatus.TO_BE_RETRIED,
        actor=WORKER,
        error=StorageUnavailableError("The storage account did not answer within 60 s."),
        retry_at=timezone.now() + dt.timedelta(minutes=4),
    )
    add_owner(actor=SYSTEM, model=model, user=ada)
    make_group(olivia, ada, [model, broken])
    make_all_datasets(olivia, team, hate, violence)
    make_evaluations(olivia, ada, team)
    make_releases(ada)
    for _ in range(2):
        raise_alert(actor=WORKER, fault=DiskFullError("No room to write the snapshot at /srv/mop/work: no space left."))


def make_group(olivia: User, ada: User, models: list[Model]) -> None:
    """A group that somebody is shown."""
    group = create_group(actor=SYSTEM, user=olivia, name="For the meeting")
    add_to_group(group=group, models=models)
    share_group(actor=SYSTEM, group=group, user=ada)


def make_releases(ada: User) -> None:
    """A service with everything that it has; one version is live in it, and the next one waits for a decision."""
    service = create_service(
        actor=SYSTEM, user=ada, name="Content Safety", kind=ServiceKind.AACS, admins=[ada], policy=Policy.WARN
    )
    model = Model.objects.get(name="measured-model")
    first, second = (model.revisions.get(version=version) for version in ("v1.0.0", "v1.0.1"))
    for task in Task.objects.filter(name__in=("violence-kinds", "self-harm-levels")):
        change_gate(actor=SYSTEM, owner=task, conditions=CONDITIONS)
    change_gate(actor=SYSTEM, owner=service, conditions=OF_SERVICE)
    live(releasable(first), service)
    requested(releasable(second), service)
    create_service_token(actor=SYSTEM, user=ada, service=service, name="deployer")
    rotate_key(actor=SYSTEM, service=service, number=1)
    container = "https://contentsafety.blob.core.windows.net/images-of-callers"
    add_container(actor=SYSTEM, service=service, url=container, credential={"anonymous": True})
    with override_settings(MOP_WEBHOOK_HOSTS=("hooks.example",)):  # the portal itself sends none
        create_webhook(actor=SYSTEM, url="https://hooks.example/releases", owner=owner_of(service.pk))
        create_webhook(actor=SYSTEM, url="https://hooks.example/mine", user=ada)


def make_contract_runs(user: User, team: Team, first: Revision, newest: Revision) -> None:
    """A task that was added later: one version failed it, the other is being checked; and a sample that failed."""
    for revision in (first, newest):
        prove(revision)
    sexual = make_task(user, team, "sexual-binary", "Sexual", "Categorical", ["0", "1"])
    runs = add_task(actor=SYSTEM, model=first.model, task=sexual, customized_name="sexual")
    failing = next(run for run in runs if run.revision == newest)
    missing = TaxonomyMisMatchError("The output has no taxonomy sexual; it has hate, violence (Text input: short text)")
    fail_run(failing, missing)
    sample = change_sample(actor=actor_of(newest.created_by), revision=newest, sample={"sentence": "you are kind"})
    assert sample is not None
    fail_run(sample, UserScriptException("On the sample post data: KeyError: 'text'", place="inference.py line 31"))


def make_all_datasets(olivia: User, team: Team, hate: Task, violence: Task) -> None:
    """One waits for approval beside an approved one of the same file, one failed, one is verified, one waits."""
    first, second = make_datasets(
        dataset_input(
            "hate-en-2026",
            [hate],
            description="English forum and chat posts of 2026, balanced by source, double annotated.",
        ),
        dataset_input("violence-en-2026", [violence], label_header="violence"),
        owner=olivia,
        team=team,
        language="en",
        group_columns=["source"],
    )
    counts = {"hate": {"0": 4307, "1": 2811}, "violence": {"0": 6020, "1": 1098}}
    report = Report(
        rows=7118,
        size=4_200_000,
        columns=4,
        label_counts=counts,
        slice_counts={"source": {"forum": 4000, "chat": 3118}},
    )
    settled(first, report)
    approve(actor=SYSTEM, binding=second.bindings.get(), comment="The label guide matches ours.")
    (failed,) = make_datasets(dataset_input("hate-posts-2025", [hate]), owner=olivia, team=team, language="en")
    faults = (
        Fault(FaultKind.EMPTY_CELL, "text", 12, (318, 402, 777, 1015, 1016, 1398)),
        Fault(FaultKind.NOT_UTF_8, "text", 3, (44, 45, 2190)),
        Fault(FaultKind.LABEL_NOT_OF_TASK, "hate", 2, (871, 1533)),
        Fault(FaultKind.DUPLICATE_HEADER, "column 4", 1, (1,)),
    )
    warnings = (Fault(FaultKind.DUPLICATE_ROW, None, 41, tuple(range(100, 120))),)
    settled(failed, Report(rows=2204, size=812_400, columns=4, faults=faults, warnings=warnings))
    make_datasets(dataset_input("self-harm-chat"), owner=olivia, team=team)


def make_evaluations(olivia: User, ada: User, team: Team) -> None:
    """Results of two versions, one of them public; of a third one evaluations in every other state."""
    kinds = make_task(ada, team, "violence-kinds", "Violence", "Categorical", ["none", "threat", "graphic", "praise"])
    levels = make_task(ada, team, "self-harm-levels", "Self-harm", "Ordinal", ["0", "1", "2", "3"])
    counts = {"none": 3204, "threat": 1080, "graphic": 640, "praise": 396}
    approved_dataset(kinds, name="violence-kinds-en", owner=olivia, labels=counts)
    approved_dataset(kinds, name="violence-kinds-short", owner=olivia, labels={"none": 300, "threat": 200})
    approved_dataset(levels, name="self-harm-levels-en", owner=olivia, label_type="Ordinal")
    approved_dataset(levels, name="self-harm-yes-no", owner=olivia, labels={"0": 400, "1": 300}, label_type="Binary")
    model = make_model(olivia, team, "measured-model", [kinds, levels], "Kinds of violence, levels of self-harm")
    first = model.revisions.get()
    for revision, skill in ((first, 0.7), (add_version(olivia, model, "v1.0.1"), 0.82)):
        verify(revision)
        prove(revision)
        Revision.objects.filter(pk=revision.pk).update(load_test_option="off")
        rows = evaluate(revision, skill=skill)
    publish_result(actor=SYSTEM, evaluation=rows[0])
    publish_revision(actor=actor_of(olivia), revision=first)
    compare_new()
    last = add_version(olivia, model, "v1.0.2")
    verify(last)
    prove(last)
    Revision.objects.filter(pk=last.pk).update(load_test_option="off")  # else it is evaluated after its load test
    start_missing(actor=SYSTEM, revision=last)
    kinds_row, short_row, binary_row, _ = last.evaluations.order_by("task__name", "-dataset__name")
    evaluation_runs(kinds_row)
    mapping = EvaluationMappingError("The labels of the model's output are not those of the task: it has no praise.")
    evaluation_failed(short_row, mapping)
    cancel_evaluation(actor=SYSTEM, evaluation=binary_row)
    make_golden_sets(ada, kinds)
    make_regression_tests(olivia, kinds, levels, [first, model.revisions.get(version="v1.0.1")])


def make_golden_sets(ada: User, kinds: Task) -> None:
    """A golden set that one version passes and another fails, for every version but those that are evaluated still."""
    lines = ["label,text", "none,Have a nice day.", "threat,I will hurt you.", "none,The weather is fine."]
    for most in (3, 4):
        rows = read_rows(kinds, "\n".join(lines[:most]), form=FileFormat.CSV)
        supply(actor=actor_of(ada), user=ada, task=kinds, name="violence-core", rows=rows)
    start_golden_sets(actor=SYSTEM)
    for run in GoldenRun.objects.all():
        said = "none" if run.revision.version == "v1.0.0" else "threat"
        run_finished(GOLDEN, run, lambda item, said=said: said if "hurt" in item["text"] else "none")


def make_regression_tests(olivia: User, kinds: Task, levels: Task, revisions: list[Revision]) -> None:
    """Cases of two tasks: the second version fixes most, breaks one, and fails some like the first."""
    for number in range(24):
        task = (kinds, levels)[number % 2]
        add_case(
            task=task,
            content={"text": f"complaint {number}"},
            actor=actor_of(olivia),
            submitter=olivia,
            expected_label=task.labels[1],
            description="A figure of speech that the service took for a threat, in a long conversation about cooking"
            if number % 3
            else "",
            trace_id=f"trace-{number}",
        )
    right = (set(range(0, 24, 3)), set(range(24)) - {0, 5, 7})
    for revision, known in zip(revisions, right, strict=True):
        run = start_regression(actor=SYSTEM, revision=revision)
        if run is None:
            raise AssertionError("the version was tested already")

        def predict(item: Any, known: set[int] = known) -> str:
            number = int(item["text"].split()[1])
            task = (kinds, levels)[number % 2]
            return str(task.labels[1 if number in known else 0]) if number != 7 else "[UserScriptException]"

        run_finished(REGRESSION, run, predict)


def make_task(user: User, team: Team, name: str, taxonomy: str, label_type: str, labels: list[str]) -> Task:
    return create_task(
        actor=actor_of(user),
        user=user,
        name=name,
        description=f"{taxonomy} in short texts",
        team=team,
        owners=[user],
        modality="Text",
        taxonomy=Taxonomy.objects.get(name=taxonomy),
        label_type=label_type,
        labels=labels,
    )


def revision_input(version: str, **fields: Any) -> RevisionInput:
    folder = settings.MOP_FILE_ROOTS[0] / "model"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "inference.py").touch()
    return RevisionInput(
        version=version,
        model_url=folder.as_uri(),
        instance_type=InstanceType.objects.get(name="Standard_F4s_v2"),
        **fields,
    )


def make_model(user: User, team: Team, name: str, tasks: list[Task], description: str) -> Model:
    revision = create_model(
        actor=actor_of(user),
        user=user,
        name=name,
        description=description,
        team=team,
        connections=[ConnectionInput(task=task, customized_name=task.taxonomy.name.lower()) for task in tasks],
        revision=revision_input("v1.0.0"),
    )
    return revision.model


def add_version(user: User, model: Model, version: str, **fields: Any) -> Revision:
    return create_revision(actor=actor_of(user), user=user, model=model, revision=revision_input(version, **fields))


def go(revision: Revision, to: RevisionStatus, **facts: Any) -> None:
    """Lead a revision along the straight way."""
    for status in CHAIN[1 : CHAIN.index(to) + 1]:
        advance(revision_id=revision.pk, attempt=1, to=status, actor=WORKER, facts=facts)
    write_log(revision, LogKind.BUILD, 40)


def verify(revision: Revision) -> None:
    go(
        revision,
        RevisionStatus.VERIFIED,
        host="worker-1",
        **SNAPSHOT,
        python_version="3.11.9",
        pip_version="24.0",
        granted={
            "level": 2,
            "cpus": 2.0,
            "memory_bytes": 8 * 1024**3,
            "parts": ["bubblewrap", "rlimits", "memory watchdog", "CPU affinity"],
        },
        warnings=["Python 3.11.4 is not installed here: 3.11.9 was used."],
    )
    write_log(revision, LogKind.DEPLOYMENT, 1300)


def make_load_tests(first: Revision, last: Revision) -> None:
    """One that ended, one that ended with a doubtful step and a second run that goes on, in one model."""
    slow = [(1, 88.0), (10, 310.0), (20, 392.0), (30, 391.0), (40, 389.0)]
    finished(enabled(first), [step_result(target, rps) for target, rps in slow])
    fast = [step_result(1, 97.0), step_result(10, 455.0), step_result(20, 610.5, failed=2)]
    doubts = ["lag: the generator was late by 2.10 ms (P99), over a tenth of the latency of 12.00 ms"]
    finished(enabled(last), [*fast, step_result(30, 611.0, failed=80, doubts=doubts)], ended="failing")
    running(enabled(last, option="PerRPS"), [step_result(1, 1.0), step_result(10, 10.0)], target=20)


def make_verify_failed(revision: Revision) -> None:
    go(revision, RevisionStatus.DEPLOYMENT_CREATED, host="worker-1", **SNAPSHOT)
    error = OrdinalTaskLabelValueError(
        "Rule: along the ascending labels a run of 1s, then 0s. At predicted_labels.hate: 0=1, 2=0, 4=1, 6=0.",
        place="predicted_labels.hate",
        also=["OrdinalTaskLabelConfidenceScoreValueError: the scores rise from label 2 (0.1) to label 4 (0.7)."],
    )
    advance(revision_id=revision.pk, attempt=1, to=RevisionStatus.VERIFY_FAILED, actor=WORKER, error=error)


def scan(failed: Revision, newest: Revision, administrator: User) -> None:
    """Findings of every severity and action, one of them waived; an earlier scan, and one that failed."""
    waive(
        failed.model, administrator, path="model/tokenizer*.pkl", reason="Made by us; it imports our own class alone."
    )
    ended = waive(failed.model, administrator, path="src/*", until=timezone.localdate())
    end_waiver(actor=actor_of(administrator), waiver=ended)
    keep_scan(failed, BLOCKS)
    odd = make_finding(Severity.MEDIUM, LONG, rule="unknown-global", message=f"{LONG} names a global nobody knows.")
    keep_scan(
        failed,
        *EVERY_ACTION,
        odd,
        make_finding(path="model/tokenizer-2.pkl"),
        *(make_advisory(f"OSV-2026-{number}", severity=Severity.MEDIUM) for number in range(2, 30)),
        files=[*FILES, FileVerdict(LONG.partition("!")[0], Verdict.SUSPICIOUS, (odd.message,))],
        incomplete={"secrets": "it said nothing for 60 s over src/words.txt"},
        reason=ScanReason.RESCAN,
    )
    rescan = request_rescan(actor=actor_of(administrator), revision=failed)
    end_rescan(rescan.workflow_id, failure=PolicyFileError("policy.toml: unknown keys blok"))
    keep_scan(newest, WARNS_HIGH, WARNS_LOW)


def write_log(revision: Revision, kind: LogKind, lines: int) -> None:
    now = timezone.now()
    LogLine.objects.bulk_create(
        LogLine(revision=revision, kind=kind, number=number, at=now, text=f"step {number}: installing package {number}")
        for number in range(1, lines + 1)
    )
