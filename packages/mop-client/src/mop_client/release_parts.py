"""Downstream services, and releases to them."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any, Iterator, Literal, Sequence, cast

from mop_client.downloads import WrongContentError, download
from mop_client.errors import BundleFailedError, UnreachableError, WaitTimeoutError
from mop_client.part import Part, given
from mop_client.release_documents import (
    Bundle,
    Evidence,
    Gate,
    GateReport,
    Live,
    NewServiceToken,
    Offer,
    Period,
    Release,
    ReleaseDetail,
    ReleaseState,
    Service,
    ServiceScope,
    ServiceToken,
)

MADE_SECONDS = 600.0
POLL_SECONDS = 1.0


class Services(Part):
    """Downstream services."""

    def list(self) -> Sequence[Service]:
        """Services by name."""
        return cast("Sequence[Service]", self._server.get("services"))

    def get(self, name: str) -> Service:
        """A service."""
        return cast("Service", self._server.get("services", name))

    def live(self, name: str) -> Sequence[Live]:
        """What the service runs now, by taxonomy and modality."""
        return cast("Sequence[Live]", self._server.get("services", name, "live"))

    def history(self, name: str) -> Sequence[Period]:
        """What the service ran, and from when to when."""
        return cast("Sequence[Period]", self._server.get("services", name, "history"))

    def define(
        self,
        name: str,
        *,
        kind: Literal["AACS", "RAIO"],
        admins: Sequence[str],
        policy: Literal["warn", "block"] = "block",
        description: str = "",
        contact: str = "",
    ) -> Service:
        """Define a service. For administrators of the installation."""
        body = {
            "name": name,
            "kind": kind,
            "admins": [*admins],
            "policy": policy,
            "description": description,
            "contact": contact,
        }
        return cast("Service", self._server.post("services", body=body))

    def tokens(self, name: str) -> Sequence[ServiceToken]:
        """The tokens of a service, for its admins."""
        return cast("Sequence[ServiceToken]", self._server.get("services", name, "tokens"))

    def make_token(
        self, name: str, token: str, *, scopes: Sequence[ServiceScope] | None = None, days: int | None = None
    ) -> NewServiceToken:
        """Make a token of a service, with every scope where none is named; the answer alone holds its secret."""
        body = given({"name": token, "scopes": scopes and [*scopes], "days": days})
        return cast("NewServiceToken", self._server.post("services", name, "tokens", body=body))

    def revoke_token(self, name: str, number: int) -> None:
        """End a token of a service."""
        self._server.delete("services", name, "tokens", number)


class Releases(Part):
    """Releases of versions to services. The service's admins decide."""

    def list(
        self,
        *,
        service: str | None = None,
        state: ReleaseState | Literal["waiting", "live", "ended"] | None = None,
        taxonomy: str | None = None,
        search: str | None = None,
    ) -> Iterator[Release]:
        """Releases that you may see, the newest first; `search` is part of a model's name, or a number."""
        return self._server.pages("releases", service=service, state=state, taxonomy=taxonomy, search=search)

    def get(self, number: int) -> ReleaseDetail:
        """A release with what happened to it."""
        return cast("ReleaseDetail", self._server.get("releases", number))

    def evidence(self, number: int) -> Evidence:
        """What a release stands on, and what changed since."""
        return cast("Evidence", self._server.get("releases", number, "evidence"))

    def check(self, service: str, model: str, version: str, *, taxonomies: Sequence[str] | None = None) -> Offer:
        """What a request would find now; nothing is stored."""
        body = given({"model": model, "version": version, "taxonomies": taxonomies and [*taxonomies]})
        return cast("Offer", self._server.post("services", service, "releases", "check", body=body))

    def request(
        self, service: str, model: str, version: str, *, taxonomies: Sequence[str] | None = None, comment: str = ""
    ) -> Release:
        """Ask a service's admins to take a public version."""
        body = {"model": model, "version": version, "taxonomies": taxonomies and [*taxonomies], "comment": comment}
        return cast("Release", self._server.post("services", service, "releases", body=given(body)))

    def approve(
        self, number: int, comment: str, *, evidence: str | None = None, canary_share: int | None = None
    ) -> Release:
        """Approve a release; with `evidence`, its digest, only what you read."""
        body = given({"comment": comment, "evidence": evidence, "canary_share": canary_share})
        return cast("Release", self._server.post("releases", number, "approve", body=body))

    def reject(self, number: int, comment: str) -> Release:
        """Reject a release."""
        return self._do(number, "reject", comment)

    def withdraw(self, number: int, comment: str = "") -> Release:
        """Take a request or an approved release back."""
        return self._do(number, "withdraw", comment)

    def acknowledge(self, number: int) -> Release:
        """Say, with the service's own token, that it runs the release now."""
        return cast("Release", self._server.post("releases", number, "acknowledge"))

    def released(self, number: int, comment: str = "") -> Release:
        """Say, as an admin of the service, that it runs the release now."""
        return self._do(number, "released", comment)

    def retire(self, number: int, comment: str) -> Release:
        """End a release that is live."""
        return self._do(number, "retire", comment)

    def roll_back(self, number: int, comment: str) -> Sequence[Release]:
        """Return to what was live before; gives the releases that this made."""
        answer = self._server.post("releases", number, "rollback", body={"comment": comment})
        return cast("Sequence[Release]", answer)

    def start_canary(self, number: int, share: int) -> Release:
        """Let an approved release answer a share of the requests, in per cent."""
        return cast("Release", self._server.put("releases", number, "canary", body={"share": share}))

    def end_canary(self, number: int, comment: str) -> Release:
        """End a canary; the release stays approved and is held."""
        return cast("Release", self._server.post("releases", number, "canary", "end", body={"comment": comment}))

    def _do(self, number: int, what: str, comment: str) -> Release:
        return cast("Release", self._server.post("releases", number, what, body={"comment": comment}))


class Gates(Part):
    """Gating conditions, and how versions come out of them."""

    def report(self, model: str, version: str, *, service: str | None = None) -> GateReport:
        """How a version comes out of the conditions of its tasks, and of a service where one is named."""
        found = self._server.get("models", model, "revisions", version, "gates", service=service)
        return cast("GateReport", found)

    def of_task(self, task: str) -> Gate:
        """The conditions of a task."""
        return cast("Gate", self._server.get("tasks", task, "gate"))

    def of_service(self, service: str) -> Gate:
        """The conditions of a service."""
        return cast("Gate", self._server.get("services", service, "gate"))

    def set_of_task(self, task: str, conditions: str, *, number: int) -> Gate:
        """Store the conditions of a task in place of version `number`, which you read."""
        return cast("Gate", self._server.put("tasks", task, "gate", body=_conditions(conditions, number)))

    def set_of_service(self, service: str, conditions: str, *, number: int) -> Gate:
        """Store the conditions of a service in place of version `number`, which you read."""
        return cast("Gate", self._server.put("services", service, "gate", body=_conditions(conditions, number)))


class Bundles(Part):
    """Signed bundles: everything that a version is, with its evidence. `mop bundle verify` believes nothing else."""

    def get(self, service: str, release: int) -> Bundle:
        """How far the bundle of a release is."""
        return cast("Bundle", self._server.get(*_bundle_of(service, release), "status"))

    def make_again(self, service: str, release: int) -> Bundle:
        """Make the bundle of a release again, after a failure or to sign it with a new key."""
        return cast("Bundle", self._server.post(*_bundle_of(service, release)))

    def pull(self, service: str, release: int, target: Path, *, timeout_seconds: float = MADE_SECONDS) -> Bundle:
        """Download the bundle of a release once it is made; what an earlier try left is gone on with.

        Raises:
            WaitTimeoutError: it is not made by then.
            BundleFailedError: it could not be made.
            UnreachableError: the connection broke, or what came is not what was announced.
        """
        return self._pull(_bundle_of(service, release), target, timeout_seconds)

    def make(self, model: str, version: str) -> Bundle:
        """Make a bundle of a verified version without a release. For administrators."""
        return cast("Bundle", self._server.post(*_bundle_of_version(model, version)))

    def pull_version(self, model: str, version: str, target: Path, *, timeout_seconds: float = MADE_SECONDS) -> Bundle:
        """Download such a bundle, as `pull` does that of a release."""
        return self._pull(_bundle_of_version(model, version), target, timeout_seconds)

    def _pull(self, path: tuple[str, ...], target: Path, timeout_seconds: float) -> Bundle:
        found = self._made(path, timeout_seconds)
        try:
            download(
                lambda headers: self._server.stream(*path, headers=headers),
                target,
                size=found["size"] or 0,
                sha256=found["sha256"],
            )
        except WrongContentError as error:
            raise UnreachableError(str(error), hint="Pull it again.") from error
        return found

    def _made(self, path: tuple[str, ...], timeout_seconds: float) -> Bundle:
        ends_at = time.monotonic() + timeout_seconds
        while True:
            found = cast("Bundle", self._server.get(*path, "status"))
            if found["state"] == "ready":
                return found
            if found["state"] == "failed":
                error = found["error"] or {}
                raise BundleFailedError(str(error.get("message", "")), hint=str(error.get("hint", "")))
            if time.monotonic() >= ends_at:
                raise WaitTimeoutError(
                    f"The bundle of {found['model']} {found['version']} is not made after {timeout_seconds:g} s.",
                    hint="Wait longer.",
                )
            time.sleep(POLL_SECONDS)


def _conditions(text: str, number: int) -> dict[str, Any]:
    return {"conditions": text, "number": number}


def _bundle_of(service: str, release: int) -> tuple[str, ...]:
    return "services", service, "releases", str(release), "bundle"


def _bundle_of_version(model: str, version: str) -> tuple[str, ...]:
    return "models", model, "revisions", version, "bundle"
