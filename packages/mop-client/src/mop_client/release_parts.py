"""Downstream services, and releases to them."""

from __future__ import annotations

from typing import Iterator, Literal, Sequence, cast

from mop_client.part import Part, given
from mop_client.release_documents import Evidence, Live, Offer, Period, Release, ReleaseDetail, ReleaseState, Service


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
