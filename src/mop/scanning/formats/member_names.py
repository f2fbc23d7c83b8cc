"""Names of members of archives: strangers chose them."""

from __future__ import annotations

from mop.file_names import name_fault


def leads_out(name: str) -> bool:
    """Whether a name of a member would be unpacked outside of its folder."""
    parts = name.replace("\\", "/").split("/")
    return name.startswith(("/", "\\")) or ".." in parts or (len(parts[0]) > 1 and parts[0][1] == ":")


def called(name: str) -> str:
    """A name as findings show it."""
    return name if name_fault(name) is None else ascii(name)
