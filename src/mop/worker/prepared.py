"""Empty databases that come with the package: `python -m mop.worker.prepared` makes them, a first start copies them.

To run the migrations of all areas takes most of the time of a first start. On SQLite their result is a file, so it is
made once, when the package is built or installed from a checkout. A copy is taken only while the migrations are those
that it was made by; and it is migrated like any other database, which finds nothing to do.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import shutil
import tempfile
from importlib.metadata import version
from pathlib import Path

from django.apps import apps

OF_PACKAGE = Path(__file__).parents[1] / "prepared_databases"
STAMP = ".made-by"
# whose releases bring tables or change how a migration is written as SQL
MAKERS = ("django", "dbos")


def copy_prepared(name: str, database: Path) -> bool:
    """Make an empty database where none is; False when one is there, or the package has none of these migrations.

    Args:
        name: of the prepared file.
        database: the file to make, readable for nobody else.
    """
    if database.exists() or _stamp() != fingerprint():
        return False
    descriptor, path = tempfile.mkstemp(dir=database.parent, prefix=f".{database.name}.")
    try:
        with open(descriptor, "wb") as made, (OF_PACKAGE / name).open("rb") as prepared:  # noqa: PTH123 - a descriptor
            shutil.copyfileobj(prepared, made)
        with contextlib.suppress(FileExistsError):  # another process was first; a link, unlike a rename, replaces none
            os.link(path, database)
    except OSError:  # of a file system without links: then the migrations make it
        return False
    finally:
        Path(path).unlink()
    return True


def make_for_package() -> None:
    """Write the databases into the package itself, unless those of these migrations stand there.

    Those of the open settings are taken, which have a MOP_HOME for this alone.
    """
    from django.db import connections  # noqa: PLC0415 - a copy needs none

    from mop.worker.setup import prepare_databases, sqlite_databases  # noqa: PLC0415 - it copies what is made here

    if _stamp() == (made_by := fingerprint()):
        return
    shutil.rmtree(OF_PACKAGE, ignore_errors=True)
    prepare_databases()  # copies nothing: there are none
    connections.close_all()
    OF_PACKAGE.mkdir()
    for name, database in sqlite_databases().items():
        _settle(database)
        shutil.copyfile(database, OF_PACKAGE / name)
    (OF_PACKAGE / STAMP).write_text(made_by, encoding="ascii")


def fingerprint() -> str:
    """Of the migrations of all areas and libraries, by content, and of the releases that turn them into tables."""
    digest = hashlib.sha256()
    for name in MAKERS:
        digest.update(f"{name} {version(name)}\0".encode())
    for config in sorted(apps.get_app_configs(), key=lambda config: config.label):
        for path in sorted(Path(config.path, "migrations").glob("*.py")):
            digest.update(f"{config.label} {path.name}\0".encode() + hashlib.sha256(path.read_bytes()).digest())
    return digest.hexdigest()


def _stamp() -> str | None:
    try:
        return (OF_PACKAGE / STAMP).read_text(encoding="ascii")
    except FileNotFoundError:
        return None


def _settle(database: Path) -> None:
    """Bring everything into the file itself."""
    import sqlite3  # noqa: PLC0415 - for the package alone

    with contextlib.closing(sqlite3.connect(database)) as connection:
        connection.execute("VACUUM")
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")


def main() -> None:
    """Make them as an installation without settings would, in a home of their own."""
    for name in [name for name in os.environ if name.startswith("MOP_")]:
        del os.environ[name]
    os.environ["DJANGO_SETTINGS_MODULE"] = "mop.conf.settings"
    with tempfile.TemporaryDirectory(prefix="mop-prepared-") as home:
        os.environ["MOP_HOME"] = home
        import django  # noqa: PLC0415 - reads the environment

        django.setup()
        make_for_package()


if __name__ == "__main__":
    main()
