"""Items that wait for a model process, in their order; nobody else counts them."""

from __future__ import annotations

from collections import deque

from mop.serving.calls import Call

COMPACT_AFTER = 1000


class WaitingItems:
    """A queue of (call, index). Items of calls that nobody waits for any more may stand in it, uncounted.

    Attributes:
        count: items that wait.
        size: bytes of these.
    """

    def __init__(self) -> None:
        self.count = 0
        self.size = 0
        self._entries: deque[tuple[Call, int]] = deque()

    def add(self, call: Call, size: int) -> None:
        """Append all items of a call, of `size` bytes together."""
        count = len(call.bodies)
        if count == 1:
            self._entries.append((call, 0))
        else:
            self._entries.extend((call, index) for index in range(count))
        self._counted(call, count, size)

    def take(self, count: int) -> list[tuple[Call, int]]:
        """Remove the first items, so many at most."""
        entries = self._entries
        taken: list[tuple[Call, int]] = []
        while entries and len(taken) < count:
            entry = entries.popleft()
            call, index = entry
            if call.done:
                continue
            self._counted(call, -1, -len(call.bodies[index]))
            taken.append(entry)
        return taken

    def take_series(self, most: int, most_bytes: int) -> list[tuple[Call, int]]:
        """Remove the first items that are of the same call as the head: so many, of so many bytes, at most."""
        if (first := self.first()) is None:
            return []
        call = first[0]
        taken: list[tuple[Call, int]] = []
        size = 0
        while self._entries and len(taken) < most and self._entries[0][0] is call:
            size += len(call.bodies[self._entries[0][1]])
            if taken and size > most_bytes:
                break
            taken.append(self._entries.popleft())
        self._counted(call, -len(taken), -sum(len(call.bodies[index]) for _, index in taken))
        return taken

    def put_back(self, entries: list[tuple[Call, int]]) -> None:
        """To the head, in order."""
        for call, index in reversed(entries):
            if not call.done:
                self._entries.appendleft((call, index))
                self._counted(call, 1, len(call.bodies[index]))

    def forget(self, call: Call) -> int:
        """Free the places that a finished call's items hold; how many they were."""
        count = call.waiting
        if count:
            self._counted(call, -count, -call.waiting_bytes)
            if len(self._entries) > 2 * self.count + COMPACT_AFTER:
                self._entries = deque(entry for entry in self._entries if not entry[0].done)
        return count

    def first(self) -> tuple[Call, int] | None:
        """The head."""
        while self._entries:
            if not self._entries[0][0].done:
                return self._entries[0]
            self._entries.popleft()
        return None

    def _counted(self, call: Call, count: int, size: int) -> None:
        call.waiting += count
        call.waiting_bytes += size
        self.count += count
        self.size += size
