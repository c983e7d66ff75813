"""An attempt at a job: what its stages share.  stages.py has the stages, run.py their order."""

import contextlib
import copy
import time
from collections.abc import Callable
from pathlib import Path
from typing import Self

from wort_cli.model.job import Progress
from wort_cli.model.lease import COMPILING, PREPARING, SKETCHING
from wort_cli.pipeline.job_spec import JobSpec, Watcher
from wort_cli.pipeline.sketching import loops
from wort_cli.pipeline.sketching.engine import Engine, engine_of
from wort_cli.pipeline.toolkit.configuration import FETCHED
from wort_cli.pipeline.toolkit.processes import Processes
from wort_cli.pipeline.toolkit.tool_versions import FILE, ToolVersions
from wort_cli.pipeline.toolkit.tools import ToolGroup
from wort_cli.pipeline.workspace import Workspace
from wort_cli.system.network_disks import answers
from wort_cli.system.process_identity import ProcessIdentity
from wort_cli.system.slots import Slots

READY = "ready"
"""The stage of a job whose archive is there, and that waits until fewer jobs are sketched."""


class Attempt:
    """The job, its workspace, its log and its cancellation token, and how the attempt reports progress."""

    def __init__(
        self,
        spec: JobSpec,
        watcher: Watcher,
        workspace: Workspace,
        log: Callable[[str], None],
        processes: Processes,
    ) -> None:
        self.spec = spec
        self.workspace = workspace
        self.log = log
        self.cancellation = watcher.cancellation
        self.profile = spec.parameters
        self.profiles = (self.profile, *(other.profile for other in spec.others))
        """Its profile, and those of the other jobs whose signatures are sketched in the same pass."""
        self.started_at = time.time()
        self._watcher = watcher
        self._processes = processes
        self.background = contextlib.ExitStack()
        """Ends what runs in the background when the attempt ends."""
        self._slot = contextlib.ExitStack()
        self.has_slot = spec.slot is None
        """Whether the attempt may use the processor: it has a slot, or there is no limit."""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.background.close()
        self.release_slot()

    def take_slot(self) -> None:
        """Wait for one of the slots of jobs that are proved and sketched; oldest jobs first.  Raises Cancelled."""
        slot = self.spec.slot
        if self.has_slot or slot is None:
            return
        self.report(READY)
        self._slot.enter_context(Slots(slot.directory, slot.number).taken(self.cancellation, slot.place))
        self.has_slot = True

    def release_slot(self) -> None:
        """Let another job use the processor.  Does nothing if the attempt has no slot."""
        self._slot.close()
        self.has_slot = self.spec.slot is None

    def engine(self) -> Engine:
        """Return the engine that sketches for all profiles.  Raises JobFailed if it is not installed."""
        return engine_of(self.spec.method.engine, *self.profiles)

    def variant(self, spec: JobSpec, workspace: Workspace) -> "Attempt":
        """Return an attempt at the same job with another spec and workspace; it shares everything else."""
        other = copy.copy(self)
        other.spec, other.workspace = spec, workspace
        return other

    def tools(self) -> ToolGroup:
        """Return the process group in which this attempt runs its tools; its guard is recorded in the workspace."""

        def record_guard(guard: ProcessIdentity | None) -> None:
            self._processes.with_guard(guard).write(self.workspace.attempt_directory, self.workspace.key)

        key_file = self.spec.key_file
        versions = ToolVersions(key_file.with_name(FILE), self.workspace.key) if key_file else None
        return ToolGroup(
            self.workspace.run_directory,
            self.cancellation,
            self.log,
            record_guard,
            reference_roots(self.spec),
            versions,
        )

    def report(self, stage: str, spots: int = 0, total: int = 0, bases: int = 0) -> None:
        """Report the progress of the attempt; raise Cancelled if it was cancelled."""
        if stage in (PREPARING, SKETCHING) and not spots and loops.being_compiled:
            stage = COMPILING
        self._watcher.report(Progress(stage, spots, total, bases, time.time()))
        self.cancellation.check()


def reference_roots(spec: JobSpec) -> list[Path]:
    """Return the directories with references: the store of this home, and those that `wort fetch` wrote."""
    named = [spec.source.archive.parents[1]] if spec.source.archive and len(spec.source.archive.parents) > 1 else []
    fetched = [directory / FETCHED for directory in (*named, *spec.archives)]
    store = spec.references.references_dir or spec.workspace / "references"
    return list(dict.fromkeys([store, *(root for root in fetched if answers(root) and root.is_dir())]))
