"""Models and their versions."""

from __future__ import annotations

import time
from typing import Any, Callable, Iterator, Literal, Mapping, Sequence, cast

from mop_client.documents import Event, LogLine, Model, Revision, RevisionRow, Timeline
from mop_client.errors import WaitTimeoutError
from mop_client.part import Part, given

POLL_SECONDS = 1.0


class Models(Part):
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
            "connections": [given({"task": task, "customized_name": customized}) for task, customized in names.items()],
            "name": name,
            "description": description,
            "team": team,
            **options,
        }
        return cast("Revision", self._server.post("models", body=given(body)))

    def edit(self, name: str, *, description: str | None = None, tags: Sequence[str] | None = None) -> Model:
        """Change description and tags."""
        body = given({"description": description, "tags": None if tags is None else [*tags]})
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


class Revisions(Part):
    """Versions of models."""

    def list(self, model: str) -> Iterator[RevisionRow]:
        """A model's versions, newest first."""
        return self._server.pages("models", model, "revisions")

    def get(self, model: str, version: str) -> Revision:
        """A version."""
        return cast("Revision", self._server.get("models", model, "revisions", version))

    def create(self, model: str, *, url: str | None = None, **options: Any) -> Revision:
        """Add a version; what is left out is the newest version's."""
        body = given({"model_url": url, **options})
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

    def card(self, model: str, version: str, *, form: Literal["json", "md", "html"] = "md") -> str:
        """The model card of a version."""
        return self._server.get_text("models", model, "revisions", version, "card", format=form)

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
