"""An engine database that was copied from another time or place: can it be read, and who goes on with its work?"""

from __future__ import annotations

from dbos import DBOSClient
from dbos._migration import get_dbos_migrations, sqlite_migrations

from mop.engine.runtime import prepare_database

_SCHEMA = "dbos"


def known_schema(kind: str) -> int:
    """The newest version of the engine's tables that this release knows, for `sqlite` or `postgresql`.

    An internal list of the engine: its version is pinned, and a test compares it with what the engine makes.
    """
    return len(sqlite_migrations if kind == "sqlite" else get_dbos_migrations(_SCHEMA, use_listen_notify=True))


def hand_back_work(url: str) -> int:
    """Put all unfinished work back on its queues: the workers that held it do not exist any more.

    Nobody may work on the database meanwhile. The tables are brought to this release's version first.

    Returns:
        How many pieces of work were handed back.
    """
    prepare_database(url)
    client = DBOSClient(system_database_url=url, retry_connection_errors=False)
    try:
        pending = client.list_workflows(status="PENDING", load_input=False, load_output=False)
        for work in pending:
            # what the engine's own recovery does, for every executor at once
            client._sys_db.reenqueue_for_recovery(work.workflow_id, [str(work.executor_id)], str(work.queue_name))  # noqa: SLF001 - see known_schema
        return len(pending)
    finally:
        client.destroy()
