"""Intakes: signatures that were submitted at the page of the server, and the results of their checks."""

from dataclasses import asdict

from wort_cli.ledger.database import Storage
from wort_cli.model.intake import Intake

KEPT = 10_000
"""The number of intakes that are kept of those that were not accepted; the oldest are deleted."""


class Intakes:
    """The table `intakes`."""

    def __init__(self, storage: Storage) -> None:
        self._storage = storage

    def add(self, intake: Intake) -> None:
        """Record an intake that begins."""
        values = {key: getattr(intake, key) for key in ("id", "submitter", "origin", "received_at")}
        with self._storage.transaction():
            self._storage.change("add_intake", **values)
            self._storage.change("forget_old_intakes", kept=KEPT)

    def step(self, intake_id: str, step: str) -> None:
        """Record which check is made."""
        self._storage.change("step_of_intake", id=intake_id, step=step)

    def end(self, intake: Intake) -> None:
        """Record how an intake has ended.  One that has ended does not change."""
        kept = ("id", "state", "step", "why", "place", "hint", "digest", "name", "ended_at")
        values = {key: value for key, value in asdict(intake).items() if key in kept}
        self._storage.change("end_intake", **{**values, "state": str(intake.state)})

    def get(self, intake_id: str) -> Intake | None:
        """Return an intake, or None."""
        row = self._storage.row("intake", id=intake_id)
        return Intake.from_row(row) if row else None

    def newest(self, submitter: str, limit: int) -> list[Intake]:
        """Return the newest intakes of a submitter."""
        return [Intake.from_row(row) for row in self._storage.rows("intakes_of", submitter=submitter, limit=limit)]
