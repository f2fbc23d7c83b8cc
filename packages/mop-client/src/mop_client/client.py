"""The client: what a MOP server does, as methods.

from mop_client import Client

with Client() as mop:
    revision = mop.models.create("https://account.blob.core.windows.net/models/toxicity", tasks=["hate in text"])
    revision = mop.revisions.wait(revision["model"], revision["version"])
    mop.revisions.publish(revision["model"], revision["version"])
"""

from __future__ import annotations

import time
from types import TracebackType
from typing import Any, Callable, Iterator, Mapping, Sequence, cast

import httpx

from mop_client.credentials import Credentials, find_credentials
from mop_client.documents import (
    Dataset,
    DatasetRow,
    Delivery,
    Event,
    Group,
    InstanceType,
    LogLine,
    Me,
    Model,
    NewWebhook,
    Notification,
    Revision,
    RevisionRow,
    Task,
    Taxonomy,
    Team,
    Timeline,
    Webhook,
)
from mop_client.errors import WaitTimeoutError
from mop_client.transport import TRIES, Transport

POLL_SECONDS = 1.0
WAITING = "toBeRetried"


class Client:
    """A MOP server, as one user.

    Args:
        url: the server's address; left out, MOP_URL or what `mop login` kept.
        token: a personal access token for it.
        tries: how often a call is sent until it is given up.
    """

    def __init__(
        self,
        url: str | None = None,
        token: str | None = None,
        *,
        tries: int = TRIES,
        transport: httpx.BaseTransport | None = None,
    ) -> None:
        if url is not None and token is not None:
            credentials = Credentials(url.rstrip("/"), token)
        elif url is None and token is None:
            credentials = find_credentials()
        else:
            raise ValueError("give url and token, or neither")
        self._server = Transport(credentials, tries=tries, transport=transport)
        self.models = Models(self._server)
        self.revisions = Revisions(self._server)
        self.tasks = Tasks(self._server)
        self.datasets = Datasets(self._server)
        self.groups = Groups(self._server)
        self.webhooks = Webhooks(self._server)

    def __enter__(self) -> Client:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """End the connections."""
        self._server.close()

    def me(self) -> Me:
        """Who the token belongs to, and their teams."""
        return cast("Me", self._server.get("me"))

    def teams(self) -> list[Team]:
        """The teams that you may see."""
        return cast("list[Team]", self._server.get("teams"))

    def notifications(self, *, unread: bool = False) -> Iterator[Notification]:
        """What you were told, newest first."""
        return self._server.pages("notifications", unread=unread)


class _Part:
    def __init__(self, server: Transport) -> None:
        self._server = server


class Models(_Part):
    """Models."""

    def list(
        self,
        *,
        search: str | None = None,
        status: str | None = None,
        task: str | None = None,
        team: str | None = None,
        group: int | str | None = None,
        sort: str | None = None,
    ) -> Iterator[Model]:
        """Models that you may see; without `status` those with a version that is neither outdated nor failed."""
        return self._server.pages("models", search=search, status=status, task=task, team=team, group=group, sort=sort)

    def get(self, name: str) -> Model:
        """A model."""
        return cast("Model", self._server.get("models", name))

    def create(
        self,
        url: str,
        *,
        tasks: Sequence[str] | Mapping[str, str | None],
        name: str | None = None,
        description: str | None = None,
        team: str | None = None,
        **options: Any,
    ) -> Revision:
        """Add a model with its first version; a url and a task suffice.

        Args:
            url: the model's folder.
            tasks: names of tasks to connect; or, by name, what the model's output calls the task's taxonomy.
            name: proposed where left out.
            description: likewise.
            team: one of your teams; your first where left out.
            options: further fields of the form, such as version, note, instance_type, worker_number.
        """
        names = tasks if isinstance(tasks, Mapping) else dict.fromkeys(tasks)
        body = {
            "model_url": url,
            "connections": [
                _given({"task": task, "customized_name": customized}) for task, customized in names.items()
            ],
            "name": name,
            "description": description,
            "team": team,
            **options,
        }
        return cast("Revision", self._server.post("models", body=_given(body)))

    def edit(self, name: str, *, description: str | None = None, tags: Sequence[str] | None = None) -> Model:
        """Change description and tags."""
        body = _given({"description": description, "tags": None if tags is None else [*tags]})
        return cast("Model", self._server.patch("models", name, body=body))

    def delete(self, name: str) -> None:
        """Delete a model with all its versions and their results."""
        self._server.delete("models", name)

    def add_owner(self, name: str, username: str) -> Model:
        """Make somebody an owner."""
        return cast("Model", self._server.post("models", name, "owners", body={"username": username}))

    def remove_owner(self, name: str, username: str) -> None:
        """Take somebody off the owners."""
        self._server.delete("models", name, "owners", username)


class Revisions(_Part):
    """Versions of models."""

    def list(self, model: str) -> Iterator[RevisionRow]:
        """A model's versions, newest first."""
        return self._server.pages("models", model, "revisions")

    def get(self, model: str, version: str) -> Revision:
        """A version."""
        return cast("Revision", self._server.get("models", model, "revisions", version))

    def create(self, model: str, *, url: str | None = None, **options: Any) -> Revision:
        """Add a version; what is left out is the newest version's."""
        body = _given({"model_url": url, **options})
        return cast("Revision", self._server.post("models", model, "revisions", body=body))

    def publish(self, model: str, version: str) -> Revision:
        """Make a verified version public."""
        return self._do(model, version, "publish")

    def unpublish(self, model: str, version: str) -> Revision:
        """Make a version private again."""
        return self._do(model, version, "unpublish")

    def retry(self, model: str, version: str) -> Revision:
        """Verify a version again, from its snapshot."""
        return self._do(model, version, "retry")

    def cancel(self, model: str, version: str) -> Revision:
        """End the verification of a version."""
        return self._do(model, version, "cancel")

    def outdate(self, model: str, version: str) -> Revision:
        """Set a version aside for good."""
        return self._do(model, version, "outdated")

    def edit(self, model: str, version: str, *, note: str) -> Revision:
        """Change a version's note."""
        return cast("Revision", self._server.patch("models", model, "revisions", version, body={"note": note}))

    def delete(self, model: str, version: str) -> None:
        """Delete a version with its results."""
        self._server.delete("models", model, "revisions", version)

    def log(self, model: str, version: str, kind: str, *, search: str | None = None) -> Iterator[LogLine]:
        """The lines of the `build` or the `deployment` log that there are now."""
        return self._server.pages("models", model, "revisions", version, "logs", kind, search=search)

    def watch(self, model: str, version: str, *, poll_seconds: float = POLL_SECONDS) -> Iterator[Event]:
        """Every status as the version enters it, until it is decided; a status is given once, when it is entered."""
        seen = 0
        while True:
            path = ("models", model, "revisions", version, "events")
            timeline = cast("Timeline", self._server.get(*path, after=seen))
            for event in timeline["items"]:
                seen = event["id"]
                yield event
            if timeline["is_final"]:
                return
            time.sleep(poll_seconds)

    def wait(
        self,
        model: str,
        version: str,
        *,
        timeout_seconds: float | None = None,
        poll_seconds: float = POLL_SECONDS,
        until: Callable[[Revision], bool] = lambda revision: revision["is_final"],
    ) -> Revision:
        """The version, as soon as it is decided.

        Args:
            model: its model.
            version: its version.
            timeout_seconds: None: however long it takes.
            poll_seconds: between two looks.
            until: what is waited for, if something else.

        Raises:
            WaitTimeoutError: it is not decided by then.
        """
        ends_at = None if timeout_seconds is None else time.monotonic() + timeout_seconds
        while not until(revision := self.get(model, version)):
            if ends_at is not None and time.monotonic() >= ends_at:
                raise WaitTimeoutError(
                    f"{model} {version} is {revision['status']} after {timeout_seconds:g} s.", hint="Wait longer."
                )
            time.sleep(poll_seconds)
        return revision

    def _do(self, model: str, version: str, what: str) -> Revision:
        return cast("Revision", self._server.post("models", model, "revisions", version, what))


class Tasks(_Part):
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


class Datasets(_Part):
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
        body = _given({"url": url, "modality": modality, "datasets": [dict(one) for one in datasets], **options})
        return cast("Sequence[DatasetRow]", self._server.post("datasets", body=body))

    def delete(self, name: str) -> None:
        """Delete a dataset with what was measured on it."""
        self._server.delete("datasets", name)


class Groups(_Part):
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


class Webhooks(_Part):
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


def _given(body: Mapping[str, Any]) -> dict[str, Any]:
    """What is not None: the server has defaults for the rest."""
    return {name: value for name, value in body.items() if value is not None}
