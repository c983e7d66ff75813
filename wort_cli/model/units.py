"""Units of measurement as text."""


def format_bytes(number: float) -> str:
    """Return a number of bytes in decimal units, such as `126.0 MB`; below 1 kB without a fraction."""
    for unit in ("B", "kB", "MB", "GB"):
        if number < 999.95:
            return f"{number:.0f} {unit}" if unit == "B" else f"{number:.1f} {unit}"
        number /= 1000
    return f"{number:.1f} TB"
