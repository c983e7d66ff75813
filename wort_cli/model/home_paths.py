"""Where the files of a home are."""

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class HomePaths:
    """The directories of a home, and the paths of the files in them."""

    data_dir: Path
    state_dir: Path
    cache_dir: Path
    config_file: Path

    @property
    def ledger_file(self) -> Path:
        """The ledger: a SQLite database."""
        return self.data_dir / "ledger.db"

    @property
    def key_file(self) -> Path:
        """The key with which wort seals what it reads back (system/seals.py)."""
        return self.data_dir / "key"

    @property
    def access_file(self) -> Path:
        """The file of tokens and users of the HTTP server (web/access_file.py)."""
        return self.data_dir / "access.json"

    @property
    def roots(self) -> tuple[Path, ...]:
        """The directories that have all files of the home, and the configuration."""
        paths = (self.data_dir, self.state_dir, self.cache_dir, self.config_file.parent, self.config_file)
        return tuple(dict.fromkeys(paths))

    @property
    def inside(self) -> tuple[Path, ...]:
        """The directories and files inside the roots that others must not write."""
        directories = (
            *(self.store_dir, self.store_dir / "sigs", self.backup_dir, self.rates_dir, self.slots_dir, self.work_dir),
            *(self.log_dir, self.log_dir / "jobs", self.references_dir, self.archive_cache_dir),
            self.listings_dir,
        )
        files = (
            self.ledger_file,
            self.queue_file,
            self.lock_file,
            self.health_file,
            self.key_file,
            self.access_file,
            self.daemon_view_file,
            self.workers_file,
        )
        return (*directories, *files)

    @property
    def backup_dir(self) -> Path:
        """The directory of the daemon's backups of the ledger."""
        return self.data_dir / "backups"

    @property
    def store_dir(self) -> Path:
        """The root of the local store."""
        return self.data_dir / "signatures"

    @property
    def queue_file(self) -> Path:
        """Huey's database.  If it is lost, no job is lost: the ledger has them all."""
        return self.state_dir / "queue.db"

    @property
    def lock_file(self) -> Path:
        """The file that the daemon keeps locked while it runs."""
        return self.state_dir / "daemon.lock"

    @property
    def health_file(self) -> Path:
        """The daemon's health file."""
        return self.state_dir / "health"

    @property
    def workers_file(self) -> Path:
        """The workers on other hosts, as the daemon has seen them (health/workers_file.py)."""
        return self.state_dir / "workers.json"

    @property
    def daemon_view_file(self) -> Path:
        """The settings and variables with which the daemon runs (health/daemon_view.py)."""
        return self.state_dir / "daemon-view.json"

    @property
    def log_dir(self) -> Path:
        """The directory of the daemon's log and of the logs of jobs."""
        return self.state_dir / "logs"

    @property
    def daemon_log(self) -> Path:
        """The daemon's log, which is rotated."""
        return self.log_dir / "daemon.log"

    @property
    def server_log(self) -> Path:
        """The log of the HTTP server that the daemon started; it is rotated."""
        return self.log_dir / "serve.log"

    @property
    def server_output(self) -> Path:
        """The stderr of that server, which says why it ended."""
        return self.log_dir / "serve.err"

    @property
    def forgotten_log(self) -> Path:
        """The file with the events of forgotten jobs."""
        return self.log_dir / "forgotten.jsonl"

    @property
    def rates_dir(self) -> Path:
        """The directory of the rate limits of ENA and NCBI."""
        return self.state_dir / "rates"

    @property
    def references_dir(self) -> Path:
        """The directory of reference sequences that were fetched for aligned runs."""
        return self.cache_dir / "references"

    @property
    def listings_dir(self) -> Path:
        """The directory of the lists of runs of projects."""
        return self.cache_dir / "listings"

    @property
    def slots_dir(self) -> Path:
        """The directory of the slots of jobs that use the processor."""
        return self.state_dir / "slots"

    @property
    def archive_cache_dir(self) -> Path:
        """The directory of fetched archives that are kept for later jobs."""
        return self.cache_dir / "archives"

    @property
    def work_dir(self) -> Path:
        """The directory of all workspaces."""
        return self.cache_dir / "work"

    def workspace(self, job_id: int) -> Path:
        """Return the workspace of a job."""
        return self.work_dir / str(job_id)

    def job_log(self, job_id: int) -> Path:
        """Return the path of a job's log."""
        return self.log_dir / "jobs" / f"{job_id // 1000:06d}" / f"{job_id}.log"
