"""When the calls of a unit are due again."""

from __future__ import annotations

import datetime as dt

from connector_core.ledger.fillings import FillJob

PATIENCE = dt.timedelta(days=7)
"""How long an extractor, or the CRM, is asked again."""


class Later:
    """Notes of calls that something of them is to be done again; the others are done with."""

    def __init__(self, now: dt.datetime) -> None:
        """Note nothing yet."""
        self.now = now
        self._seconds: dict[str, float] = {}

    def once_more(self, job: FillJob, seconds: float | None = None, *, most: int | None = None) -> None:
        """Try a call again, after a pause that is longer each time, up to an hour; after some days, not any more.

        :param seconds: No sooner than that.
        :param most: Tries in all, this one among them.
        """
        if self.now - job.since < PATIENCE and (most is None or job.tries + 1 < most):
            self._put(job, max(seconds or 0.0, min(3600.0, 15.0 * 2 ** min(job.tries, 10))))

    def at_once(self, job: FillJob) -> None:
        """Look at a call again that nothing keeps from going on."""
        self._put(job, 0.0)

    def seconds(self, job: FillJob) -> float | None:
        """Give in how many seconds a call is due again; None for not by itself."""
        return self._seconds.get(job.call_id)

    def _put(self, job: FillJob, seconds: float) -> None:
        self._seconds[job.call_id] = max(self._seconds.get(job.call_id, 0.0), seconds)
