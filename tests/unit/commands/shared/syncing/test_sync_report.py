"""Tests of the lines, the summary and the exit code of `wort sync`."""

import json

import pytest
import typer

from wort_cli.commands.shared.showing.fields import ID, MESSAGE, PATH_FIELD, TEXT, Document, Field
from wort_cli.commands.shared.showing.printing import Form
from wort_cli.commands.shared.syncing.sync_report import SyncReport
from wort_cli.errors import WortError

DOCUMENT = Document(
    "sync",
    "A report.",
    rows="signatures",
    row=(Field("name", ID, "The run"), Field("state", TEXT, "The state"), MESSAGE, PATH_FIELD),
    columns=("name", "state", "message"),
)


def test_lines_go_to_stdout_and_the_summary_to_stderr(capsys: pytest.CaptureFixture[str]) -> None:
    with SyncReport(DOCUMENT, "pushed", 3, Form.TSV) as report:
        report.add_outcome("SRR100001", None, done="put")
        report.add("SRR100002", "would be put", "a\tdetail")
        report.add_in_sync()
    assert capsys.readouterr() == (
        "name\tstate\tmessage\nSRR100001\tput\t\nSRR100002\twould be put\ta\\tdetail\n", "2 pushed, 1 in sync\n",
    )  # fmt: skip


def test_json_is_one_document(capsys: pytest.CaptureFixture[str]) -> None:
    with SyncReport(DOCUMENT, "pulled", None, Form.JSON) as report:
        report.add("SRR100001", "pulled")
        report.add("SRR100002", "pulled", "again")
    assert [row["message"] for row in json.loads(capsys.readouterr().out)["signatures"]] == [None, "again"]


def test_failure_makes_exit_code_1(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(typer.Exit) as end, SyncReport(DOCUMENT, "pushed", 2, Form.TSV, header=False) as report:
        report.add_outcome("SRR100001", WortError("it failed", "try again"))
        report.add_outcome("SRR100002", None, done="put")
    assert end.value.exit_code == 1
    assert capsys.readouterr() == (
        "SRR100001\tfailed\tit failed (try again)\nSRR100002\tput\t\n", "1 pushed, 0 in sync, 1 failed\n",
    )  # fmt: skip


def test_difference_makes_exit_code_1_when_lines_are_errors() -> None:
    with SyncReport(DOCUMENT, "differences", 2, Form.TSV, lines_are_errors=True) as report:
        report.add_in_sync()
        report.exit_if_failed()
        report.add("SRR100001", "not in the bucket")
    with pytest.raises(typer.Exit) as end:
        report.exit_if_failed()
    assert end.value.exit_code == 1


def test_document_is_closed_when_an_error_ends_the_list(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(KeyboardInterrupt), SyncReport(DOCUMENT, "pulled", None, Form.JSON) as report:
        report.add("SRR100001", "pulled")
        raise KeyboardInterrupt
    assert [row["name"] for row in json.loads(capsys.readouterr().out)["signatures"]] == ["SRR100001"]


def test_error_in_the_context_is_not_replaced_by_the_exit_code() -> None:
    with pytest.raises(KeyboardInterrupt), SyncReport(DOCUMENT, "pushed", 2, Form.TSV, header=False) as report:
        report.add("SRR100001", "failed", failed=True)
        raise KeyboardInterrupt
