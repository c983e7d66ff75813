"""Numbers with their units as text, written in one way everywhere."""

import time
from datetime import UTC, datetime


def format_bytes(number: float) -> str:
    """Return a number of bytes in decimal units, such as `126.0 MB`; below 1 kB without a fraction."""
    for unit in ("B", "kB", "MB", "GB"):
        if number < 999.95:
            return f"{number:.0f} {unit}" if unit == "B" else f"{number:.1f} {unit}"
        number /= 1000
    return f"{number:.1f} TB"


def format_bases(number: float) -> str:
    """Return an amount of sequence in decimal units, such as `99.0 Mbp`; below 1 kbp without a fraction."""
    for unit in ("bp", "kbp", "Mbp", "Gbp"):
        if number < 999.95:
            return f"{number:.0f} {unit}" if unit == "bp" else f"{number:.1f} {unit}"
        number /= 1000
    return f"{number:.1f} Tbp"


def format_rate(per_second: float, unit: str = "B") -> str:
    """Return a number per second in decimal units, such as `12.3 MB/s` or `77.1 Mbp/s`."""
    for prefix in ("", "k", "M"):
        if per_second < 999.95:
            return f"{per_second:.1f} {prefix}{unit}/s"
        per_second /= 1000
    return f"{per_second:.1f} G{unit}/s"


def format_count(number: int) -> str:
    """Return an integer with a comma between thousands: 1,234,567."""
    return f"{number:,}"


def format_share(fraction: float) -> str:
    """Return a fraction as a percentage: 42%.  Only 1 is 100%."""
    return f"{min(99, round(fraction * 100)) if fraction < 1 else 100}%"


def format_duration(seconds: float) -> str:
    """Return seconds in readable form: <1s, 42s, 3m 10s, 2h 05m."""
    if 0 < seconds < 0.5:
        return "<1s"
    seconds = max(0, round(seconds))
    if seconds < 60:
        return f"{seconds}s"
    if seconds < 3600:
        return f"{seconds // 60}m {seconds % 60:02d}s"
    return f"{seconds // 3600}h {seconds % 3600 // 60:02d}m"


def iso_time(seconds: float | None) -> str | None:
    """Return a Unix time in ISO 8601, in UTC; None for None."""
    if seconds is None:
        return None
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def local_time(when: float | str | None) -> str:
    """Return a Unix time, or one of `iso_time`, as local date and time; empty for None."""
    if when is None:
        return ""
    seconds = datetime.fromisoformat(when).timestamp() if isinstance(when, str) else when
    return time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(seconds))
