"""What `mop up` becomes once its installation is ready: `python -m mop.cli.keep_parts HOST PORT [nobody]`.

The same process, begun anew without Django and models: those take 45 MB, of which it needs nothing for as long as it
watches portal and worker.
"""

from __future__ import annotations

import asyncio
import os
import sys
from typing import NoReturn

from mop.backup.occupancy import occupy
from mop.cli.failures import CommandError
from mop.cli.installation import conf
from mop.cli.serving_parts import address, serve
from mop_client.cli.exit_codes import ExitCode
from mop_client.cli.output import say

NOBODY = "nobody"  # can sign in


def become(host: str, port: int, *, has_users: bool) -> NoReturn:
    """Go on as this program, with the same id, streams and environment."""
    sys.stdout.flush()
    sys.stderr.flush()
    arguments = [sys.executable, "-m", __name__, host, str(port), *([] if has_users else [NOBODY])]
    os.execv(sys.executable, arguments)  # noqa: S606 - our own module, no shell


def main() -> None:
    """Run portal and worker until SIGINT or SIGTERM."""
    host, port, *rest = sys.argv[1:]
    occupy(conf("home").find_home(os.environ))

    async def announce(stop: asyncio.Event) -> None:
        print(f"MOP is at {address(host, int(port))}", flush=True)
        if NOBODY in rest:
            say("Nobody can sign in yet. In another terminal: mop createuser NAME --admin")
        await stop.wait()
        say("stopping")

    try:
        asyncio.run(serve(host, int(port), announce))
    except CommandError as error:
        say(error.message)
        say(f"  hint: {error.hint}")
        sys.exit(error.exit_code)
    except KeyboardInterrupt:  # before the loop took the signal
        sys.exit(ExitCode.INTERRUPTED)


if __name__ == "__main__":
    main()
