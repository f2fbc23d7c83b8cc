from __future__ import annotations

from typing import Any

import pytest

from mop.catalog.models import InstanceType, Task, Taxonomy
from mop.catalog.selectors import get_instance_type, get_task, get_taxonomy, offered_instance_types, tasks_for_list
from mop.catalog.services import create_instance_type, create_taxonomy, seed_defaults
from mop.errors import NotFoundError, ValidationFailedError
from support.factories import ACTOR, make_task

pytestmark = [pytest.mark.django_db, pytest.mark.dialect]


def test_six_taxonomies_and_the_default_instance_type_ship():
    names = {row.name for row in Taxonomy.objects.all()}
    assert names == {"Hate", "Self-harm", "Violence", "Sexual", "Jailbreak", "Defensive"}
    default = get_instance_type("Standard_F4s_v2")
    assert (default.vcpus, default.memory_bytes, default.gpus) == (4, 8 * 1024**3, 0)


def test_seeding_again_changes_nothing_that_stands():
    Taxonomy.objects.filter(name="Hate").update(description="ours")
    InstanceType.objects.filter(name="Standard_F2s_v2").delete()
    seed_defaults()
    assert get_taxonomy("Hate").description == "ours"
    assert get_instance_type("Standard_F2s_v2").vcpus == 2


@pytest.mark.parametrize(
    ("label_type", "labels"),
    [
        ("Categorical", ["0"]),
        ("Categorical", []),
        ("Categorical", [str(number) for number in range(21)]),
        ("Categorical", ["a", "a"]),
        ("Categorical", ["a", ""]),
        ("Categorical", ["a", " "]),
        ("Categorical", ["a", 1]),
        ("Categorical", "ab"),
        ("Ordinal", ["low", "high"]),
    ],
)
def test_labels_are_2_to_20_different_texts_and_3_when_ordinal(label_type: str, labels: Any):
    with pytest.raises(ValidationFailedError) as caught:
        make_task(label_type=label_type, labels=labels)
    assert not Task.objects.exists()
    assert caught.value.fields


@pytest.mark.parametrize(
    ("label_type", "count"), [("Categorical", 2), ("Categorical", 20), ("Ordinal", 3), ("Ordinal", 20)]
)
def test_labels_keep_their_order(label_type: str, count: int):
    labels = [str(number) for number in range(count, 0, -1)]
    assert make_task(label_type=label_type, labels=labels).labels == labels


@pytest.mark.parametrize(("field", "value"), [("name", "x" * 101), ("modality", "Audio"), ("label_type", "Nominal")])
def test_a_task_field_that_breaks_its_rule_is_named(field: str, value: str):
    with pytest.raises(ValidationFailedError) as caught:
        make_task(**{field: value})
    assert field in caught.value.fields


def test_names_are_unique():
    make_task("moderation")
    with pytest.raises(ValidationFailedError):
        make_task("moderation")
    with pytest.raises(ValidationFailedError):
        create_taxonomy(actor=ACTOR, name="Hate")
    with pytest.raises(ValidationFailedError):
        create_instance_type(actor=ACTOR, name="Standard_F4s_v2", vcpus=1, memory_gib=1)


@pytest.mark.parametrize(("vcpus", "memory_gib"), [(0, 1), (1, 0), (-1, 1)])
def test_an_instance_type_has_cpu_and_memory(vcpus: int, memory_gib: float):
    with pytest.raises(ValidationFailedError):
        create_instance_type(actor=ACTOR, name="tiny", vcpus=vcpus, memory_gib=memory_gib)


def test_tasks_are_searched_and_filtered():
    make_task("b", taxonomy="Violence")
    make_task("a", description="finds blood")
    make_task("c", modality="Image")
    assert [task.name for task in tasks_for_list()] == ["a", "b", "c"]
    assert [task.name for task in tasks_for_list(search="BLOOD")] == ["a"]
    assert [task.name for task in tasks_for_list(taxonomy="Violence")] == ["b"]
    assert [task.name for task in tasks_for_list(modality="Image")] == ["c"]


def test_what_is_not_there_or_not_offered_is_not_found():
    InstanceType.objects.filter(name="Standard_F2s_v2").update(is_enabled=False)
    assert "Standard_F2s_v2" not in {row.name for row in offered_instance_types()}
    for ask, name in ((get_task, "none"), (get_taxonomy, "none"), (get_instance_type, "Standard_F2s_v2")):
        with pytest.raises(NotFoundError):
            ask(name)
