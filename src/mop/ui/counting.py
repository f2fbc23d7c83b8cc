"""Numbers with their nouns."""

from __future__ import annotations


def counted(number: int, noun: str) -> str:
    """`no findings`, `1 finding`, `2,300 findings`; for nouns whose plural ends in s."""
    return f"{number:,} {noun}{'' if number == 1 else 's'}" if number else f"no {noun}s"
