"""Importing advisories, whole or not at all."""

from __future__ import annotations

import datetime as dt
import hashlib
import itertools
import tempfile
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, TypeVar

import orjson
from django.conf import settings
from django.db import IntegrityError, transaction

from mop.advisories.actions import Action
from mop.advisories.archive import open_export, read_export
from mop.advisories.models import AdvisoryImport, AffectedPackage, ImportedAdvisory
from mop.audit.services import Actor, record
from mop.errors import AdvisoryImportError
from mop.scanning.dependencies.records import Advisory

AFTER_IMPORT: list[Callable[[], None]] = []
"""Called when what is known has changed, after the commit; areas above add to it in `AppConfig.ready()`."""
_ROWS = 500
_SOURCE_LENGTH_MAX = 300
_Item = TypeVar("_Item")


def import_advisories(*, actor: Actor, file: Path, force: bool = False) -> AdvisoryImport:
    """Replace the imported advisories by those of an export of OSV (`PyPI/all.zip`).

    All of it is read and checked before anything is written; only what differs is written, in one transaction.

    Args:
        actor: who imports.
        file: the zip.
        force: also when what is there goes further.

    Raises:
        AdvisoryImportError: the file is no such export, breaks a bound, or is older than what is there.
    """
    try:
        with open_export(file) as opened, tempfile.TemporaryFile(dir=settings.MOP_HOME) as spool:
            sha256 = hashlib.file_digest(opened, "sha256").hexdigest()
            content = _Content(spool)
            for advisory in read_export(opened):
                content.add(advisory)
            return _write(content, actor=actor, source=file.name, sha256=sha256, force=force)
    except IntegrityError as error:
        raise AdvisoryImportError("Another import was made at the same time.", hint="Import the file again.") from error


@dataclass
class _Content:
    """What an export holds of PyPI packages: the digests in memory, the records in a file."""

    spool: IO[bytes]
    digests: dict[str, str] = field(default_factory=dict)
    passed_over: int = 0
    newest: dt.datetime | None = None

    def add(self, advisory: Advisory) -> None:
        if not advisory.affected:
            self.passed_over += 1
            return
        if advisory.identifier in self.digests:
            raise AdvisoryImportError(f"It has two records {advisory.identifier}.")
        record_json = advisory.to_json()
        digest = hashlib.sha256(record_json).hexdigest()
        self.digests[advisory.identifier] = digest
        if self.newest is None or advisory.modified > self.newest:
            self.newest = advisory.modified
        row = {
            "identifier": advisory.identifier,
            "modified": advisory.modified,
            "digest": digest,
            "record": record_json.decode(),
            "packages": sorted(advisory.packages),
        }
        self.spool.write(orjson.dumps(row) + b"\n")

    def rows(self, identifiers: set[str]) -> Iterator[tuple[ImportedAdvisory, list[AffectedPackage]]]:
        """Rows of these records, each with those of its packages."""
        self.spool.seek(0)
        for line in self.spool:
            row = orjson.loads(line)
            names = row.pop("packages")
            if row["identifier"] in identifiers:
                row["modified"] = dt.datetime.fromisoformat(row["modified"])
                advisory = ImportedAdvisory(**row)
                yield advisory, [AffectedPackage(advisory=advisory, name=name) for name in names]

    @property
    def digest(self) -> str:
        lines = "".join(f"{identifier} {digest}\n" for identifier, digest in sorted(self.digests.items()))
        return hashlib.sha256(lines.encode()).hexdigest()


@transaction.atomic
def _write(content: _Content, *, actor: Actor, source: str, sha256: str, force: bool) -> AdvisoryImport:
    newest = content.newest
    if newest is None:
        raise AdvisoryImportError(f"None of its {content.passed_over:,} records speaks of a PyPI package.")
    AdvisoryImport.objects.select_for_update().order_by("-pk").first()  # one import after the other
    before = AdvisoryImport.objects.order_by("-pk").first()
    if before is not None and newest < before.newest_modified and not force:
        raise AdvisoryImportError(
            f"Its newest record is of {newest:%Y-%m-%d %H:%M}, older than what is there "
            f"({before.newest_modified:%Y-%m-%d %H:%M}).",
            hint="Fetch the present export, or give --force to go back to the older one.",
        )
    there = dict(ImportedAdvisory.objects.values_list("identifier", "digest"))
    changed = {identifier for identifier, digest in content.digests.items() if there.get(identifier) != digest}
    gone = there.keys() - content.digests.keys()
    for some in _in_parts(sorted(gone | (changed & there.keys()))):
        AffectedPackage.objects.filter(advisory__in=some).delete()
        ImportedAdvisory.objects.filter(pk__in=some).delete()
    for rows in _in_parts(content.rows(changed)):
        ImportedAdvisory.objects.bulk_create([advisory for advisory, _ in rows])
        AffectedPackage.objects.bulk_create([one for _, packages in rows for one in packages])
    done = AdvisoryImport.objects.create(
        source=_printable(source),
        sha256=sha256,
        records=len(content.digests),
        passed_over=content.passed_over,
        newest_modified=newest,
        digest=content.digest,
    )
    record(
        actor=actor,
        action=Action.IMPORTED,
        object_type="advisory_import",
        object_id=done.pk,
        object_label=done.source,
        data={"sha256": sha256, "records": done.records, "changed": len(changed), "gone": len(gone), "forced": force},
    )
    if changed or gone:
        for callback in AFTER_IMPORT:
            transaction.on_commit(callback, robust=True)  # one that fails is logged; the import stands
    return done


def _in_parts(items: Iterable[_Item]) -> Iterator[list[_Item]]:
    left = iter(items)
    while part := list(itertools.islice(left, _ROWS)):
        yield part


def _printable(name: str) -> str:
    return "".join(character if character.isprintable() else "?" for character in name)[:_SOURCE_LENGTH_MAX]
