"""`python -m support.installation_setup [tables]`: databases, a person with a token, and tasks of a fresh installation.

Standard output: one JSON object {"token", "administrator_token", "reviewer_token", "username", "password"}; nothing of
`tables`, which makes the databases alone.
"""

from __future__ import annotations

import gc
import json
import sys

import django

django.setup()
gc.disable()  # in vain it would look through the models that each migration makes anew, for a third of the time

from mop.accounts.models import User  # noqa: E402
from mop.worker.setup import prepare_databases  # noqa: E402
from support.factories import PASSWORD, make_task, make_team, make_token, make_user  # noqa: E402

OTHER_TEAM = "another team"


def main() -> None:
    prepare_databases()
    if sys.argv[1:] == ["tables"]:
        return
    team = make_team("the team")
    owner: User = make_user("owner", teams=(team, make_team(OTHER_TEAM)))
    make_task("bad words", taxonomy="Hate", labels=["no", "yes"])
    make_task("severity", taxonomy="Violence", label_type="Ordinal", labels=["low", "middle", "high"])
    make_task("profanity", taxonomy="Hate", label_type="Ordinal", labels=["0", "1", "2", "3"])  # of the text sample
    administrator = make_user("administrator", is_administrator=True)
    made = {"token": make_token(owner), "username": owner.username, "password": PASSWORD}
    made["administrator_token"] = make_token(administrator)
    made["reviewer_token"] = make_token(make_user("reviewer"))  # decides about what the owner asks for
    print(json.dumps(made))  # noqa: T201 - the caller reads it


if __name__ == "__main__":
    main()
