from __future__ import annotations

import asyncio
import socket

from mop.serving.frames import FrameProtocol, settings_frame
from mop.serving.model_process import SETTINGS


async def test_what_a_dead_process_had_still_written_is_read_at_once():
    frames: list[tuple[int, bytes]] = []
    lost: list[str | None] = []
    channel = FrameProtocol(lambda kind, body: frames.append((kind, bytes(body))), lost.append, lambda: 1000)
    ours, theirs = socket.socketpair()
    ours.setblocking(False)
    transport, _ = await asyncio.get_running_loop().create_unix_connection(lambda: channel, sock=ours)
    theirs.sendall(b"".join(settings_frame(b"%d" % number) for number in range(3)) + b"\0\0")
    theirs.close()
    channel.read_rest(ours.fileno())
    assert frames == [(SETTINGS, b"0"), (SETTINGS, b"1"), (SETTINGS, b"2")]
    transport.abort()
    await asyncio.sleep(0)
    assert lost == [None]


async def test_nothing_is_read_from_a_channel_that_was_given_up():
    frames: list[int] = []
    channel = FrameProtocol(lambda kind, _: frames.append(kind), lambda _: None, lambda: 1)
    ours, theirs = socket.socketpair()
    ours.setblocking(False)
    await asyncio.get_running_loop().create_unix_connection(lambda: channel, sock=ours)
    theirs.sendall(settings_frame(b"longer than the limit") + settings_frame(b""))
    channel.read_rest(ours.fileno())
    assert frames == []
    theirs.close()
