"""Runs a build step or a model in a cage without a network and hands its requests to the proxy's socket.

Called as `python -I -S index_forwarder.py SOCKET PROGRAM ARGUMENT...` by the model's own Python (3.8 or later, standard
library only). Listens on the cage's own loopback, which is where proxies are looked for, and ends with the program's
status. It decides nothing: the proxy at the other end of the socket does.
"""

from __future__ import annotations

import asyncio
import os
import sys

PIECE = 256 * 1024
PROXIES = ("HTTPS_PROXY", "HTTP_PROXY", "ALL_PROXY")


async def run(path: str, argv: list[str]) -> int:
    """Run the program beside a listener; returns its status, 128 + n if a signal ended it."""

    async def forward(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            onward_reader, onward_writer = await asyncio.open_unix_connection(path)
        except OSError:
            writer.close()
            return
        try:
            await asyncio.gather(copy(reader, onward_writer), copy(onward_reader, writer))
        finally:
            onward_writer.close()
            writer.close()

    # Connections are open when the program ends; what asyncio has to say of that would stand in the program's log.
    asyncio.get_running_loop().set_exception_handler(lambda _loop, _context: None)
    server = await asyncio.start_server(forward, "127.0.0.1", 0, backlog=256)
    address = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    names = [name for one in PROXIES for name in (one, one.lower())]
    environment = {**os.environ, **dict.fromkeys(names, address), "NO_PROXY": "", "no_proxy": ""}
    process = await asyncio.create_subprocess_exec(*argv, env=environment)
    let_go_of_input()
    status = await process.wait()
    return status if status >= 0 else 128 - status


def let_go_of_input() -> None:
    """Descriptor 0 is the program's alone: a model's front must see it close when the model closes it."""
    null = os.open(os.devnull, os.O_RDONLY)
    os.dup2(null, 0)
    os.close(null)


async def copy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Copy to the end, and tell the other side that it is the end."""
    try:
        while True:
            piece = await reader.read(PIECE)
            if not piece:
                break
            writer.write(piece)
            await writer.drain()
        writer.write_eof()
    except OSError:
        writer.close()


if __name__ == "__main__":
    sys.exit(asyncio.run(run(sys.argv[1], sys.argv[2:])))
