"""How soon to look at a job again: often while few jobs share the rate, else when its next event is due. Pure."""

from __future__ import annotations

import math
from collections.abc import Sequence

from tracker.polite import RateLimit

#: Share of the account's rate that looking at jobs may use; the rest is for statuses and submissions.
SHARE = 0.8

#: Seconds: a running job is never left longer than this, a waiting one neither.
LONGEST_S, LONGEST_WAITING_S = 30.0, 15.0

#: Weight of the newest gap in the running mean of a job's gaps: about the last five count.
NEWEST = 0.3


class Crowd:
    """The jobs that share one rate."""

    def __init__(self, limit: RateLimit, shortest_s: float):
        self.limit = limit
        self.shortest_s = shortest_s
        self.jobs = 0
        #: The least that any look's clock was ahead of the time written on an event: both clocks' distance, since
        #: among many jobs some event is met just as it becomes visible.
        self.ahead_s = math.inf

    @property
    def fair_s(self) -> float:
        """Seconds between looks at one job if all are looked at in turn within the rate."""
        return max(self.shortest_s, self.jobs / (SHARE * self.limit.rate))


class Pace:
    """One job's pace, learned from when its events became visible.

    Times are seconds of any steady clock.
    """

    def __init__(self, crowd: Crowd):
        self._crowd = crowd
        self._gap: float | None = None
        self._last_seen: float | None = None
        self._last_stamp: float | None = None
        self._within = 0.0
        self._last_look: float | None = None
        self._misses = 0

    def looked(self, now: float, new_events: int, stamps: Sequence[float] = ()) -> None:
        """Take note of a look and of how many new events it brought.

        Parameters
        ----------
        stamps
            The times written on these events, in order, by the provider's clock and mostly in whole seconds.
        """
        before, self._last_look = self._last_look, now
        if not new_events:
            self._misses += 1
            return
        if len(stamps) == new_events:
            seen, gap = self._by_stamps(before, now, stamps)
        else:
            # The event became visible between the two looks: in their middle, on the average. Where the look before was
            # long ago, the event was met when it was due: then it is expected a little earlier next time.
            seen = now if before is None else max((before + now) / 2, now - self._crowd.shortest_s)
            known = self._last_seen is not None and before is not None
            gap = (seen - self._last_seen) / new_events if known else None
        if gap is not None:
            self._gap = gap if self._gap is None else NEWEST * gap + (1 - NEWEST) * self._gap
        self._last_seen, self._misses = seen, 0

    def _by_stamps(
        self, before: float | None, now: float, stamps: Sequence[float]
    ) -> tuple[float, float | None]:
        """Return when the newest event became visible and the gap to the one before, from what is written on them."""
        self._crowd.ahead_s = min(self._crowd.ahead_s, now - stamps[-1])
        second = stamps[-1] + self._crowd.ahead_s
        shortest = self._crowd.shortest_s
        if (
            before is not None and now - before < 3 * shortest
        ):  # missed just before: known better than by the second
            self._within = min(max((before + now) / 2 - second, 0.0), 1.0)
        else:
            self._within = max(0.0, self._within - shortest / 4)
        known = [*([self._last_stamp] if self._last_stamp is not None else []), *stamps]
        self._last_stamp = stamps[-1]
        gap = (known[-1] - known[0]) / (len(known) - 1) if len(known) > 1 else None
        # Whatever the clocks say, it was not there at the look before.
        return min(max(second + self._within, -math.inf if before is None else before), now), gap

    def wait_s(self, now: float, running: bool) -> float:
        """Return the seconds until the next look.

        Parameters
        ----------
        running
            Whether the job trains; one that waits is looked at ever more seldom.
        """
        fair = self._crowd.fair_s
        if not running:
            return max(fair, min(LONGEST_WAITING_S, self._crowd.shortest_s * 1.3 ** min(self._misses, 30)))
        if fair <= 1.0 or self._gap is None or self._last_seen is None:
            return fair
        due = self._last_seen + self._gap - now
        if due > 0:
            return min(max(due, self._crowd.shortest_s), LONGEST_S)
        return min(self._crowd.shortest_s * 1.5 ** min(self._misses, 20), max(fair, LONGEST_S / 3))
