"""How soon to look at a job again: often while few jobs share the rate, else when its next event is due. Pure."""

from __future__ import annotations

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
        self._last_look: float | None = None
        self._misses = 0

    def looked(self, now: float, new_events: int) -> None:
        """Take note of a look and of how many new events it brought."""
        before, self._last_look = self._last_look, now
        if not new_events:
            self._misses += 1
            return
        # The event became visible between the two looks: in their middle, on the average. Where the look before was
        # long ago, the event was met when it was due: then it is expected a little earlier next time.
        seen = now if before is None else max((before + now) / 2, now - self._crowd.shortest_s)
        if self._last_seen is not None and before is not None:
            gap = (seen - self._last_seen) / new_events
            self._gap = gap if self._gap is None else NEWEST * gap + (1 - NEWEST) * self._gap
        self._last_seen, self._misses = seen, 0

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
