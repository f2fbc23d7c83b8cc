"""Tasks, datasets, groups and webhooks."""

from __future__ import annotations

from typing import Any, Iterator, Mapping, Sequence, cast

from mop_client.documents import (
    Dataset,
    DatasetRow,
    Delivery,
    Group,
    Guide,
    GuideRow,
    InstanceType,
    NewWebhook,
    Task,
    Taxonomy,
    Webhook,
)
from mop_client.part import Part, given


class Tasks(Part):
    """Tasks, and what they are made of."""

    def list(
        self, *, search: str | None = None, taxonomy: str | None = None, modality: str | None = None
    ) -> Iterator[Task]:
        """Tasks by name."""
        return self._server.pages("tasks", search=search, taxonomy=taxonomy, modality=modality)

    def get(self, name: str) -> Task:
        """A task."""
        return cast("Task", self._server.get("tasks", name))

    def taxonomies(self) -> Sequence[Taxonomy]:
        """Taxonomies."""
        return cast("Sequence[Taxonomy]", self._server.get("taxonomies"))

    def instance_types(self) -> Sequence[InstanceType]:
        """Machine sizes that a model may ask for."""
        return cast("Sequence[InstanceType]", self._server.get("instance-types"))


class Datasets(Part):
    """Evaluation datasets: metadata, never samples or labels."""

    def list(
        self,
        *,
        search: str | None = None,
        status: str | None = None,
        modality: str | None = None,
        task: str | None = None,
    ) -> Iterator[DatasetRow]:
        """Datasets; without `status` those that are neither outdated nor failed."""
        return self._server.pages("datasets", search=search, status=status, modality=modality, task=task)

    def get(self, name: str) -> Dataset:
        """A dataset."""
        return cast("Dataset", self._server.get("datasets", name))

    def create(
        self, url: str, *, modality: str, datasets: Sequence[Mapping[str, Any]], **options: Any
    ) -> Sequence[DatasetRow]:
        """Add the datasets of one file, one for each label column.

        Args:
            url: the dataset's folder.
            modality: Text, Image or ImageAndText.
            datasets: each with label_header, name, label_type, tasks.
            options: team, language, group_columns, language_column.
        """
        body = given({"url": url, "modality": modality, "datasets": [dict(one) for one in datasets], **options})
        return cast("Sequence[DatasetRow]", self._server.post("datasets", body=body))

    def edit(self, name: str, *, description: str | None = None, tasks: Sequence[str] | None = None) -> Dataset:
        """Change the description, or the list of connected tasks; the rest of a dataset never changes."""
        body = given({"description": description, "tasks": None if tasks is None else [*tasks]})
        return cast("Dataset", self._server.patch("datasets", name, body=body))

    def delete(self, name: str) -> None:
        """Delete a dataset with what was measured on it."""
        self._server.delete("datasets", name)


class Groups(Part):
    """Groups of models."""

    def list(self) -> Sequence[Group]:
        """Your groups and those shared with you."""
        return cast("Sequence[Group]", self._server.get("groups")["items"])

    def create(self, name: str, models: Sequence[str] = ()) -> Group:
        """Make a group, and put models into it."""
        group = self._server.post("groups", body={"name": name})
        for model in models:
            self.put_model(group["id"], model)
        return cast("Group", self._server.get("groups", group["id"]))

    def put_model(self, group: int, model: str) -> None:
        """Put a model into a group."""
        self._server.put("groups", group, "models", model)

    def take_model(self, group: int, model: str) -> None:
        """Take a model out of a group."""
        self._server.delete("groups", group, "models", model)

    def delete(self, group: int) -> None:
        """Delete a group; its models stay."""
        self._server.delete("groups", group)


class Webhooks(Part):
    """Urls that are told what you, or a team of yours, are told."""

    def list(self) -> Sequence[Webhook]:
        """Your webhooks and those of your teams."""
        return cast("Sequence[Webhook]", self._server.get("webhooks")["items"])

    def create(
        self, url: str, *, team: str | None = None, description: str = "", kinds: Sequence[str] | None = None
    ) -> NewWebhook:
        """Add a webhook; the answer alone holds its secret."""
        body = {"url": url, "team": team, "description": description, "kinds": None if kinds is None else [*kinds]}
        return cast("NewWebhook", self._server.post("webhooks", body=body))

    def test(self, webhook: int) -> Delivery:
        """Send a test message."""
        return cast("Delivery", self._server.post("webhooks", webhook, "test"))

    def deliveries(self, webhook: int) -> Iterator[Delivery]:
        """What was sent, newest first."""
        return self._server.pages("webhooks", webhook, "deliveries")

    def replay(self, webhook: int, delivery: int) -> Delivery:
        """Send a message again, under the same id."""
        return cast("Delivery", self._server.post("webhooks", webhook, "deliveries", delivery, "replay"))

    def delete(self, webhook: int) -> None:
        """Delete a webhook with its log."""
        self._server.delete("webhooks", webhook)


class Guides(Part):
    """The guides of the help, as texts in Markdown."""

    def list(self) -> Sequence[GuideRow]:
        """Every guide, in the order of the help."""
        return cast("Sequence[GuideRow]", self._server.get("guides"))

    def get(self, name: str) -> Guide:
        """A guide with its text."""
        return cast("Guide", self._server.get("guides", name))
