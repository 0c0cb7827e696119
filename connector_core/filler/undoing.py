"""Values that somebody wants taken back: what stood there before is put in their place, where nobody changed it since."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from connector_core.connection import Connection
from connector_core.filler.choosing import Plan
from connector_core.filling.coercion import Context, same
from connector_core.ledger.fill_rows import Filled, Filling, Place
from connector_core.ledger.fillings import FillJob
from connector_core.model import FieldDescription, Unknown


@dataclass(slots=True)
class Undo:
    """One value to take back. ``filled``: what was written, None where something else was since.

    ``before``: the call whose value it took the place of: what is put back is of that one again. ``asked``: the CRM said
    what its object is.
    """

    job: FillJob
    row: Filling
    place: Place
    filled: Filled | None
    described: FieldDescription | None
    context: Context
    asked: bool
    before: FillJob | None = None
    done: bool = False

    @property
    def is_taken_back(self) -> bool:
        """Tell whether what the connector wrote is not there any more."""
        return self.row.reason == "taken_back"

    def decide(self, plan: Plan, answer: Sequence[Mapping[str, Any]]) -> None:
        """Plan what is put back, or say why nothing is.

        :param answer: What was read of the record: nothing where it is gone.
        """
        if not answer or self.place[2] not in answer[0]:
            self.keep("the record or the field is gone")
        elif self.described is None or self.filled is None:
            self.keep("something else was written since, or it was erased")
        elif self.filled.digest is not None:
            self.keep("what stood there before is not kept any more")
        elif same(answer[0][self.place[2]], self.filled.value, self.described, self.context):
            plan.put_back[self.place] = self.filled.previous
        elif same(answer[0][self.place[2]], self.filled.previous, self.described, self.context):
            self.took_back()  # by an earlier try that was not answered
        else:
            self.keep("somebody changed it since")

    def restored(self) -> Filled | None:
        """Give what the connector is known to have written again, once this is taken back."""
        it, filled, described = self.before, self.filled, self.described
        if it is None or it.call is None or filled is None or described is None:
            return None
        for row in it.fillings.values():
            theirs = row.outcome == "sent" and row.run is not None and row.run != filled.run and row.is_at(self.place)
            if theirs and same(row.wanted, filled.previous, described, self.context):
                return Filled(self.place, row.wanted, row.previous, it.call_id, it.call.started_at, row.run or "")
        return None

    def keep(self, why: str) -> None:
        """Leave what was written."""
        self.row = replace(self.row, undo_by=None, detail=f"not taken back: {why}")
        self.done = True

    def took_back(self) -> None:
        """Say that it was taken back, by whom."""
        by = self.row.undo_by
        self.row = replace(self.row, outcome="other", reason="taken_back", detail=f"by {by}", undo_by=None, since=None)
        self.done = True


def undos(
    connection: Connection,
    jobs: Sequence[FillJob],
    written: Mapping[Place, Filled],
    before: Mapping[str, FillJob],
    context: Context,
) -> list[Undo]:
    """Give what is to be taken back of these calls.

    :param written: What the connector wrote last into the records of their fields.
    :param before: The calls whose values these took the place of.
    """
    wanted = [(job, row) for job in jobs for row in job.fillings.values() if row.undo_by]
    names = connection.manifest.names
    objects = {names.get(row.object or "", row.object or "") for _, row in wanted}
    found = connection.describe_objects(objects) if objects else {}
    taking: list[Undo] = []
    for job, row in wanted:
        name = names.get(row.object or "", row.object or "")
        answer = found[name]
        fields = {} if isinstance(answer, Unknown) or not answer else answer[0].fields
        described = next((it for it in fields.values() if it.name.casefold() == row.name.casefold()), None)
        place = (name, row.record_id or "", described.name if described else row.name)
        filled = written.get(place)
        ours = filled if filled is not None and filled.run == row.run else None
        earlier = before.get(row.replaced or "")
        taking.append(Undo(job, row, place, ours, described, context, not isinstance(answer, Unknown), earlier))
    return taking
