"""What the globals of a pickle and their uses mean for the file that holds it."""

from __future__ import annotations

from mop.scanning.findings import Severity, Verdict
from mop.scanning.look import SAVE_WEIGHTS, Look, shown
from mop.scanning.pickles.known_globals import BY_VALUE, Kind, judge
from mop.scanning.pickles.own_code import Origin
from mop.scanning.pickles.values import Global, Oddity, Sight, Trace, Use

_WORST_FIRST = (Use.CALLED, Use.ATTRIBUTE, Use.CREATED, Use.NAMED)
_COMPUTED = frozenset((Oddity.COMPUTED_NAME, Oddity.COMPUTED_CALL, Oddity.COMPUTED_ATTRIBUTE))
_OWN = frozenset((Origin.OWN_CLASS, Origin.OWN, Origin.REQUIRED_CLASS))


def tell_of_trace(look: Look, part: str, trace: Trace) -> None:
    """Findings for everything that a run over a pickle met."""
    known: set[Global] = set()
    for sight in trace.sights.values():
        verdict = judge(sight.name, sight.use)
        if verdict.kind == Kind.DANGEROUS and sight.name not in known:
            known.add(sight.name)
            tell_of_danger(look, part, sight.name, sight.position, verdict.reason)
        elif verdict.kind == Kind.UNKNOWN and not _is_used_worse(trace, sight):
            _tell_of_unknown(look, part, sight)
    for what, position in trace.oddities.items():
        if what in _COMPUTED and trace.forgot:
            look.incomplete(part, "the pickle holds more than a scan keeps")
        else:
            _tell_of_oddity(look, part, what, position)
    if trace.undecided:
        look.incomplete(part, "bytes of an array look like the beginning of opcodes to loaders that skip no arrays")


def _is_used_worse(trace: Trace, sight: Sight) -> bool:
    """Whether the pickle does more with a global than this."""
    return any((sight.name, use) in trace.sights for use in _WORST_FIRST[: _WORST_FIRST.index(sight.use)])


def tell_of_danger(look: Look, part: str, name: Global, position: int, reason: str) -> None:
    """A global that must not be looked up."""
    by_value = reason == BY_VALUE
    look.tell(
        Verdict.INFECTED,
        "code-by-value" if by_value else "code-execution",
        Severity.CRITICAL,
        part,
        f"Loading {part} looks up {shown(str(name))}, which {reason}.",
        "Put the class or function into a module of src/ and import it from there, in training too: then the pickle "
        "names it and does not carry its code."
        if by_value
        else f"Do not load this file. If it is your own, find out what put {shown(str(name))} into it. {SAVE_WEIGHTS}",
        position=f"byte {position}",
        details={"global": shown(str(name))},
    )


def _tell_of_unknown(look: Look, part: str, sight: Sight) -> None:
    origin = look.own.origin(sight.name)
    is_run = sight.use == Use.CALLED or (sight.use == Use.ATTRIBUTE and origin == Origin.FOREIGN)
    blocks = is_run and origin not in _OWN
    name = shown(str(sight.name))
    known_as = "" if origin == Origin.FOREIGN else f" ({origin.value})"
    look.tell(
        Verdict.SUSPICIOUS,
        "unknown-call" if blocks else "unknown-global",
        Severity.CRITICAL if blocks else Severity.MEDIUM,
        part,
        f"Loading {part} calls {name}, which MOP does not know as harmless{known_as}."
        if blocks
        else f"Loading {part} looks up {name}, which MOP does not know as harmless{known_as}.",
        f"Bring its code in src/ or privatepkgs/, or its package in src/requirements.txt. {SAVE_WEIGHTS}"
        if blocks
        else SAVE_WEIGHTS,
        position=f"byte {sight.position}",
        details={"global": name},
    )


def _tell_of_oddity(look: Look, part: str, what: Oddity, position: int) -> None:
    look.tell(
        Verdict.INFECTED,
        "hidden-lookup",
        Severity.CRITICAL,
        part,
        f"The pickle in {part} {what.value}; no ordinary pickle does.",
        SAVE_WEIGHTS,
        position=f"byte {position}",
    )
