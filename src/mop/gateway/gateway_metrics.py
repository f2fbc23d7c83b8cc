"""What one gateway counts, in Prometheus' text format."""

from __future__ import annotations

from collections import Counter

from mop.gateway.live_models import Routing
from mop.prometheus_text import head, sample
from mop.serving.metrics import LATENCY_BOUNDS_S, Histogram


class GatewayMetrics:
    """Counters of one process; nothing of what was asked is in them."""

    def __init__(self, service: str) -> None:
        self._service = service
        self.requests: Counter[tuple[str, int]] = Counter()
        self.latency = Histogram(LATENCY_BOUNDS_S)
        self.model_answers: Counter[tuple[str, str, bool, bool]] = Counter()
        self.severities: Counter[tuple[str, str, int]] = Counter()
        self.blocklist_hits = 0
        self.fallbacks = 0
        self.switches = 0
        self.canaries_ended = 0
        self.records_lost = 0

    def model_answered(self, category: str, label: str, *, is_canary: bool, failed: bool) -> None:
        """A model answered for a category, or failed."""
        self.model_answers[category, label, is_canary, failed] += 1

    def text(self, routing: Routing, *, connections: int, in_flight: int) -> str:
        """The whole page."""
        lines = _head("requests_total", "counter", "Answers by operation and status.")
        lines += [
            self._sample("requests_total", count, operation=operation, code=code)
            for (operation, code), count in sorted(self.requests.items())
        ]
        lines += _head("model_answers_total", "counter", "Answers of models by category, model, side and result.")
        lines += [
            self._sample(
                "model_answers_total",
                count,
                category=category,
                model=label,
                side="canary" if is_canary else "live",
                result="failed" if failed else "answered",
            )
            for (category, label, is_canary, failed), count in sorted(self.model_answers.items())
        ]
        lines += _head("severities_total", "counter", "Severities that were answered.")
        lines += [
            self._sample("severities_total", count, kind=kind, category=category, severity=severity)
            for (kind, category, severity), count in sorted(self.severities.items())
        ]
        lines += _head("release", "gauge", "The releases that answer now: 1 for each category, kind and side.")
        for (kind, category), slot in sorted(routing.slots.items(), key=lambda one: (one[0][0], one[0][1].name)):
            for side, model in (("live", slot.live), ("canary", slot.canary)):
                if model is not None:
                    labels = {"kind": kind, "category": category.name, "model": model.label, "release": model.release}
                    lines.append(self._sample("release", 1, side=side, **labels))
        for name, sort, value, text in (
            ("blocklist_hits_total", "counter", self.blocklist_hits, "Texts in which a term of a blocklist stood."),
            ("canary_fallbacks_total", "counter", self.fallbacks, "Failures of a canary that what is live made good."),
            ("switches_total", "counter", self.switches, "Changes of what answers."),
            ("canaries_ended_total", "counter", self.canaries_ended, "Canaries that broke their gate here."),
            ("records_lost_total", "counter", self.records_lost, "Answers whose record could not be kept."),
            ("connections", "gauge", connections, "Connections that are open."),
            ("in_flight_requests", "gauge", in_flight, "Requests that are being answered."),
        ):
            lines += [*_head(name, sort, text), self._sample(name, value)]
        lines += _head("request_seconds", "histogram", "Time from a request's arrival to its answer.")
        lines += self.latency.lines("mop_gateway_request_seconds")
        return "\n".join(lines) + "\n"

    def _sample(self, name: str, value: float, **labels: object) -> str:
        return sample(f"mop_gateway_{name}", value, {"service": self._service, **labels})


def _head(name: str, kind: str, text: str) -> list[str]:
    return head(f"mop_gateway_{name}", kind, text)
