"""docs/monitoring.md names every metric, and only metrics that exist."""

import re
from pathlib import Path

from tests.support.documents import ROOT
from wort_cli.health.metrics import registry
from wort_cli.settings import Settings, load_settings


def test_documented_metrics_are_those_that_exist(tmp_path: Path) -> None:
    settings: Settings = load_settings({"WORT_HOME": str(tmp_path)})
    settings.make_directories()
    document = (ROOT / "docs" / "monitoring.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| (`wort_.*`) \|", document, re.MULTILINE)
    documented = {name.removesuffix("_total") for row in rows for name in re.findall(r"`(wort_\w+)`", row)}
    collected = {family.name for family in registry(settings).collect()}
    assert collected <= documented
    source = (ROOT / "wort_cli" / "health" / "metrics.py").read_text(encoding="utf-8")
    gauges = {f"wort_{name}" for name in re.findall(r'gauge\(\s*"(\w+)"', source)}
    assert documented == gauges | set(re.findall(r'"(wort_\w+)"', source))
