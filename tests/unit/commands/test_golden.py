"""The output of every command equals its golden file, and its schema describes the JSON."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from scripts.output_docs import documents
from tests.support.golden import COMMANDS, DIRECTORY, golden_text
from tests.support.schemas import validated
from tests.support.showcase import BUCKET_ONLY, DONE, Showcase, showcase
from wort_cli import cli
from wort_cli.commands import doctor, fetch, runs, serve, token, worker
from wort_cli.commands.shared.checking.finding import STATES, Finding
from wort_cli.commands.shared.daemon.daemon_action import DOCUMENTS, print_action
from wort_cli.commands.shared.following import follow_record
from wort_cli.commands.shared.showing.printing import Form, print_document, print_records
from wort_cli.health.workers_file import WorkerSeen
from wort_cli.model.accession import Accession
from wort_cli.model.failure import Failure, Reason
from wort_cli.model.run_metadata import RunMetadata
from wort_cli.pipeline.projects.kept import ListedRun, Listing, Witness

NO_JSON = {"--paths", "--raw", "-h", "help", "completion"}
"""Options and commands that print something else than a document."""
MORE = [
    ("view", "--url", DONE),
    ("sync", "push"),
    ("rm", DONE, "--yes"),
    ("view", BUCKET_ONLY),
    ("verify", DONE, "--now"),
    ("follow", "run"),
    ("token", "add", "lab"),
]
"""Command lines with JSON that have no golden file."""
WITHOUT_DAEMON = {"daemon start", "daemon restart", "daemon reload", "daemon install", "daemon uninstall"}
"""Commands that need a daemon or systemd: their document is printed as they do."""


@pytest.fixture(scope="module")
def home() -> Iterator[Showcase]:
    with showcase() as made:
        yield made


@pytest.mark.parametrize("name", COMMANDS)
def test_command_prints_what_its_golden_file_has(name: str, home: Showcase) -> None:
    wanted = (DIRECTORY / f"{name}.txt").read_text(encoding="utf-8")
    assert golden_text(home, name) == wanted, "look at the difference; if it is an improvement, run `make golden`"


def test_every_command_has_a_golden_file() -> None:
    assert set(COMMANDS) == {*cli.COMMANDS, *cli.GROUPS}
    assert {path.stem for path in DIRECTORY.glob("*.txt")} == set(COMMANDS)


def test_list_of_commands_shows_whole_sentences() -> None:
    assert "..." not in (DIRECTORY / "help.txt").read_text(encoding="utf-8").replace("ARGS]...", "")


def test_golden_files_can_be_read_by_a_person() -> None:
    for path in DIRECTORY.iterdir():
        text = path.read_text(encoding="utf-8")
        assert "\x1b" not in text, path
        assert str(Path(__file__).parents[3]) not in text


def test_json_of_every_command_is_what_its_schema_says(home: Showcase, capsys: pytest.CaptureFixture[str]) -> None:
    """A command that prints a key which its schema does not know fails, and so does a schema that nothing prints."""
    printed = set()
    for words in [words for lines in COMMANDS.values() for words in lines if not NO_JSON & set(words)] + MORE:
        home.reset()
        text = home.run(*words, "--json", streams="out")
        if text:
            printed.add(validated(text)["command"])
        else:
            assert home.code not in (0, 1), words
    for name in WITHOUT_DAEMON:
        print_action(name.removeprefix("daemon "), "done", home.world.settings, as_json=True, path=Path("/x"))
        printed.add(validated(capsys.readouterr().out)["command"])
    findings = [Finding(state, "what", "why", "fix" if state == "problem" else "") for state in STATES]
    print_records(doctor.DOCUMENT, [finding.to_json() for finding in findings], Form.JSON)
    printed.add(validated(capsys.readouterr().out)["command"])
    print_document(token.PASSWORD, {"name": "ann", "may": ["compute"]})
    printed.add(validated(capsys.readouterr().out)["command"])
    print_document(token.REVOKED, {"name": "ann", "revoked": 2})
    printed.add(validated(capsys.readouterr().out)["command"])
    serve.announce("http://127.0.0.1:8082/", "http://127.0.0.1:8082/sign-in?link=x", read_only=False, as_json=True)
    printed.add(validated(capsys.readouterr().out)["command"])
    seen = WorkerSeen("node7-1", "node7", 7, "0.1.0", "working", 2, (1, 2), 0.5)
    print_records(worker.LISTED, [worker.record(seen)], Form.JSON)
    printed.add(validated(capsys.readouterr().out)["command"])
    print_document(worker.DRAINED, {"host": "node7", "workers": ["node7-1"], "message": "done"})
    printed.add(validated(capsys.readouterr().out)["command"])
    print_records(follow_record.REMOVED, [], Form.JSON)
    printed.add(validated(capsys.readouterr().out)["command"])
    failed = fetch.FetchResult(Accession(DONE), failure=Failure(Reason.NETWORK, "no answer"))
    print_records(fetch.DOCUMENT, [failed.record()], Form.JSON)
    printed.add(validated(capsys.readouterr().out)["command"])
    listing = Listing("PRJNA1", 0.0, 1, 150, 0, (Witness("ENA", 1), Witness("NCBI", None, "down")), {}, (), Path("/x"))
    found = runs.run_record(ListedRun(RunMetadata("SRR000001"), ("ENA",)))
    print_records(runs.DOCUMENT, [found], Form.JSON, head={"listings": [runs.listing_record(listing)]})
    printed.add(validated(capsys.readouterr().out)["command"])
    assert printed == {document.command for document in documents()}
    assert set(DOCUMENTS) >= {name.removeprefix("daemon ") for name in WITHOUT_DAEMON}


def test_json_of_a_list_is_a_list_also_of_one(home: Showcase) -> None:
    home.reset()
    document = json.loads(home.run("status", DONE, "--json", streams="out"))
    assert list(document)[:2] == ["schema", "command"]
    (job,) = document["jobs"]
    assert job["path"].endswith(f"signatures/sigs/SRR000/{DONE}.sig")
    assert job["queued_at"] == "2026-11-27T10:00:00.000Z"
