"""What is known of one followed job, and which of its points are new. No network."""

from __future__ import annotations

from dataclasses import dataclass, field

from tracker.endpoint import Item
from tracker.jobs import TrackedJob
from tracker.pace import Pace
from tracker.points import Point, from_event, seconds, total_steps

#: Times in a row that a job's events are not found before the route is taken to be missing: a new job's may come late.
REFUSALS = 3


@dataclass
class Watch:
    """One followed job.

    ``seen`` holds the identities of events read, ``written`` the steps by metric, ``last_ms`` the time of its last sign
    of life in milliseconds since 1970.
    """

    job: TrackedJob
    target: str
    pace: Pace
    begun: bool = False
    seen: dict[str, None] = field(default_factory=dict)
    written: dict[str, set[int]] = field(default_factory=dict)
    status_at: float = float("-inf")
    served: tuple[object, ...] = ()
    refusals: int = 0
    last_ms: int = 0

    @property
    def events_missing(self) -> bool:
        """Whether the events route is taken to be missing."""
        return self.refusals >= REFUSALS

    def fresh_points(self, events: list[Item]) -> list[Point]:
        """Return each (key, step) once: the first event that tells it wins."""
        points = []
        for event in events:
            self.last_ms = max(self.last_ms, int((seconds(event.get("created_at")) or 0) * 1000))
            self.job.total_steps = total_steps(event) or self.job.total_steps
            for point in from_event(event):
                steps = self.written.setdefault(point.key, set())
                if point.step not in steps:
                    steps.add(point.step)
                    points.append(point)
                    self.job.see(point.key, point.step, point.value)
        return points
