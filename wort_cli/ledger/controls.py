"""What a person told the daemon, in the ledger: it goes by it now, or when it starts."""

from wort_cli.ledger.database import Storage


class Controls:
    """Values by their names, such as `paused` and `jobs`; and groups of jobs that are paused."""

    def __init__(self, storage: Storage) -> None:
        self._storage = storage

    def value(self, key: str, default: str) -> str:
        """The value of a control, such as `paused` or `jobs`."""
        row = self._storage.row("control", key=key)
        return str(row["value"]) if row else default

    def put(self, key: str, value: str) -> None:
        """Tell the daemon, now or when it starts."""
        self._storage.change("set_control", key=key, value=value)

    def pause_group(self, group: str) -> None:
        """Have no job of a group begin, be it there already or not."""
        self._storage.change("pause_group", group_name=group)

    def resume_group(self, group: str) -> bool:
        """Have jobs of a group begin again; whether it was paused."""
        return self._storage.change("resume_group", group_name=group) > 0

    def paused_groups(self) -> list[str]:
        """The groups that are paused."""
        return [row["name"] for row in self._storage.rows("paused_groups")]
