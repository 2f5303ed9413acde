"""What the Compare page knows of its maps at one moment."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from cxrbench.app.services.job_queue import Job, JobsState
from cxrbench.app.services.map_keys import CellKey, joined
from cxrbench.app.services.result_cache import Key
from cxrbench.compare import Comparison, HeatMaps

__all__ = ["Cell", "FoundMaps", "PendingMaps", "Snapshot"]


@dataclass(frozen=True)
class Cell:
    """Origin of a cell's map, and a note on its state."""

    origin: str = ""
    note: str = ""


@dataclass(frozen=True)
class PendingMaps:
    """Maps that are being computed.

    Args:
        key: of their result.
        title: of the method.
        finding: the finding that is computed; "" where all are computed together.
        draft: the latest one; None before the first.
        position: in the queue, from 1; 0 while they are computed.
        seconds_left: about how long their computation still takes; NaN if that is not known yet.
    """

    key: Key
    title: str
    finding: str
    draft: HeatMaps | None
    position: int
    seconds_left: float


@dataclass(frozen=True)
class Snapshot:
    """The results that are available at one moment.

    Args:
        comparison: all finished maps so far, and the drafts of the findings that are shown.
        shown: finding that is shown → the comparison with its map of each cell: the maps of all findings
            where they are computed together, else this one alone.
        cells: (model, method, finding that is shown) → origin and state of its map.
        jobs: running, waiting and failed jobs of what is shown.
        state: state of these jobs before their results were read.
        failed: the jobs that ended with an error.
        pending: maps being computed that are shown.
        later: jobs of findings that are not shown.
        later_keys: keys of what these jobs compute.
        later_total: number of maps of findings that are not shown, with those that are there.
        stopped: keys of the maps that the user stopped.
    """

    comparison: Comparison
    shown: Mapping[str, Comparison]
    cells: Mapping[tuple[str, str, str], Cell]
    jobs: tuple[Job, ...] = ()
    state: JobsState = ()
    failed: tuple[Job, ...] = ()
    pending: tuple[PendingMaps, ...] = ()
    later: tuple[Job, ...] = ()
    later_keys: tuple[Key, ...] = ()
    later_total: int = 0
    stopped: tuple[Key, ...] = ()

    def with_note(self, cells: Sequence[CellKey], note: str) -> "Snapshot":
        """Say of some cells why they have no maps, but for findings that have one."""
        noted = {(*cell, finding): Cell(note=note) for cell in cells for finding in self.shown}
        return replace(self, cells={**noted, **self.cells})

    def with_jobs(self, jobs: Sequence[Job], state: JobsState) -> "Snapshot":
        """Follow further jobs of what is shown.

        Args:
            jobs: the jobs.
            state: their state before their results were read.
        """
        return replace(
            self,
            jobs=(*self.jobs, *jobs),
            state=(*self.state, *state),
            failed=(*self.failed, *(job for job in jobs if job.error is not None)),
        )


@dataclass
class FoundMaps:
    """Maps that are collected, of whole cells and of single findings.

    Args:
        whole: (model, method) → maps of all findings.
        single: (model, method) → finding → its map, where one finding is computed after the other.
    """

    whole: dict[CellKey, HeatMaps]
    single: dict[CellKey, dict[str, HeatMaps]] = field(default_factory=dict)

    def add(self, cell: CellKey, finding: str, heat: HeatMaps) -> None:
        """Add maps of one finding, or of all with ``finding`` ""."""
        if finding:
            self.single.setdefault(cell, {})[finding] = heat
        else:
            self.whole[cell] = heat

    def of(self, finding: str) -> dict[CellKey, HeatMaps]:
        """The maps to show for one finding."""
        return self.whole | {cell: maps[finding] for cell, maps in self.single.items() if finding in maps}

    def together(self, shown: Sequence[str]) -> dict[CellKey, HeatMaps]:
        """Finished maps of all findings, and drafts of the findings that are shown."""
        found = dict(self.whole)
        for cell, maps in self.single.items():
            kept = {name: heat for name, heat in maps.items() if heat.progress >= 1 or name in shown}
            if kept:
                found[cell] = joined(kept)
        return found
