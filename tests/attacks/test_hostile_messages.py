"""Each field of each message in the queue of workers on other hosts, with values that no wort writes."""

import copy
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tests.attacks.conftest import NAME
from wort_cli.daemon.remote.receive import receive
from wort_cli.daemon.remote.roster import Roster
from wort_cli.daemon.remote.wire import Answer, Beat, Board, Order
from wort_cli.health.workers_file import read_workers, write_workers
from wort_cli.model.accession import Accession
from wort_cli.model.failure import Failure, Reason
from wort_cli.model.job import Job, Progress
from wort_cli.model.job_result import JobResult
from wort_cli.model.provenance import Trust
from wort_cli.model.verdict import Comparison, Depth, Verdict
from wort_cli.pipeline.portable_spec import PortableSpec
from wort_cli.settings import Settings
from wort_cli.stores.local import LocalStore
from wort_cli.system.process_identity import own_identity

HUGE, LONG = 2**63, "x" * 600
BOARD = Board("home", 3, {7: 2}, ("w-1",), {"w-1": (3,)}, host="host")
BEAT = Beat(
    *("w-1", "w", "node1", own_identity(), 4, "home", 2, 3),
    running={7: (2, Progress("decoding", 1, 2, 3, 4.5)), 8: (1, None)},
    kept=(9,),
)
VERDICT = Verdict(Trust.VERIFIED, Depth.FULL, "", (Comparison(21, 1, 1, 0, 0, 0, 1.0, 1.0, 1.0),), ((1, 2),))
RESULT = Answer("node1", JobResult(7, 2, failure=Failure(Reason.TOOL_CRASH, "why")), log="a line")
VERIFIED = Answer("node1", JobResult(7, 2, verdict=VERDICT))


def each(keys: str, *values: Any) -> list[tuple[str, Any]]:
    """Return a change for each of some keys and values."""
    return [(key, value) for key in keys.split() for value in values]


BOARDS: list[tuple[str, Any]] = [
    *each("home", 1, LONG, None),
    *each("turn", -1, HUGE, "1", True, 1.5),
    *each("attempts", [], {"0": 1}, {"-1": 1}, {"1_0": 1}, {" 1": 1}, {"\u0661": 1}, {"1": 0}),
    *each("attempts", {"1": HUGE}, {str(HUGE): 1}, {"1": "1"}, {"1": None}),
    *each("draining", "w-1", [1], [LONG], {}),
    *each("ended", [], {"w-1": 3}, {"w-1": [0]}, {"w-1": [HUGE]}, {"w-1": ["3"]}, {LONG: [3]}),
    *each("version", 1, LONG),
    *each("protocol", "1", None, 1.0),
    *each("host", 1, LONG, None),
]
BEATS: list[tuple[str, Any]] = [
    *each("worker place host home version", 1, LONG, None, []),
    *each("number jobs room protocol", -1, HUGE, "1", True, None),
    *[("room", 5000), ("jobs", 5000), ("draining", 1), ("draining", None)],
    *each("process", None, {}, [], {"pid": 1}),
    *each("process.pid", -1, HUGE, "1", None),
    *each("process.boot", 1, LONG),
    *each("running", [], {"0": [1, None]}, {"1": 1}, {"1": [1]}, {"1": [0, None]}, {"1": [HUGE, None]}),
    *each("running", {"1": [1, 1]}, {"1": [1, {}]}, {"1": [1, None, None]}, {"x": [1, None]}),
    *each("running.7.1.stage", 1, LONG),
    *each("running.7.1.spots", -1, HUGE, 1.5),
    *each("running.7.1.at", "nan", "1", None, True),
    *each("kept", {}, [0], [HUGE], ["1"], list(range(1, 1002))),
]
RESULTS: list[tuple[str, Any]] = [
    *each("host returned", 1, LONG, None),
    *each("log", 1, "x" * 20_001),
    *each("content", 1, None),
    *each("result", None, [], {}, "x"),
    *each("result.job_id result.attempt result.work", -1, HUGE, "1", True, None),
    *each("result.published", 1, [], {}, {"path": "/etc/passwd"}),
    *each("result.failure", 1, {}, {"reason": "none-such", "detail": "", "lasting": False}),
    *each("result.failure.detail", 1, {}, "x" * 10_001),
    *each("result.failure.lasting", 1, "no"),
]
VERDICTS: list[tuple[str, Any]] = [
    *each("result.verdict", 1, {}, []),
    *each("result.verdict.trust result.verdict.depth", 1, "perfect", None),
    *each("result.verdict.cause result.verdict.engine result.verdict.format result.verdict.made_from", 1, None),
    *each("result.verdict.bases", -1, HUGE, "1"),
    *[("result.verdict.of_copy", 1), ("result.verdict.slices", [[1]]), ("result.verdict.slices", [[1, HUGE]])],
    *each("result.verdict.comparisons", {}, [1], [{}]),
    *each("result.verdict.comparisons.0.ksize", "21", 1.5, None),
    *each("result.verdict.comparisons.0.jaccard", "1", None, []),
]
PUBLISHED: list[tuple[str, Any]] = [
    *each("size", 0, -1, HUGE, "1", None),
    *each("path remote sha256", 1, "x" * 2001, None),
    *each("trust", 1, "perfect", None),
    *each("provenance", None, [], {}),
    *each("provenance.spots", -1, HUGE, "1"),
    *each("provenance.seconds", "1", None),
]
ALL = [
    *[(Board, BOARD, change) for change in BOARDS],
    *[(Beat, BEAT, change) for change in BEATS],
    *[(Answer, RESULT, change) for change in RESULTS],
    *[(Answer, VERIFIED, change) for change in VERDICTS],
]


def changed(document: dict[str, Any], path: str, value: Any) -> bytes:
    """Return a document with another value at a path such as `result.verdict.slices`."""
    made = copy.deepcopy(document)
    place: Any = made
    *parents, last = path.split(".")
    for each in parents:
        place = place[int(each) if isinstance(place, list) else each]
    place[int(last) if isinstance(place, list) else last] = value
    return json.dumps(made).encode()


def name_of(value: Any) -> str:
    return f"{value[0]}={value[1]!r}"[:60] if isinstance(value, tuple) else getattr(value, "__name__", "")


@pytest.mark.parametrize("right", [BOARD, BEAT, RESULT, VERIFIED], ids=["board", "beat", "failure", "verdict"])
def test_right_message_is_read_as_it_was_written(right: Any) -> None:
    assert type(right).unpack(right.pack()) == right


@pytest.mark.parametrize(("kind", "right", "change"), ALL, ids=[f"{k.__name__}-{name_of(c)}" for k, _, c in ALL])
def test_message_with_a_wrong_value_is_refused(kind: Any, right: Any, change: tuple[str, Any]) -> None:
    with pytest.raises(ValueError, match=r".+"):
        kind.unpack(changed(json.loads(right.pack()), *change))


@pytest.mark.parametrize("change", PUBLISHED, ids=name_of)
def test_signature_in_an_answer_with_a_wrong_value_is_refused(answer: Answer, change: tuple[str, Any]) -> None:
    document = json.loads(answer.pack())
    path, value = change
    with pytest.raises(ValueError, match=r".+"):
        Answer.unpack(changed(document, f"result.published.{path}", value))


@pytest.mark.parametrize("right", [BOARD, BEAT, RESULT], ids=["board", "beat", "answer"])
@pytest.mark.parametrize(
    ("old", "new"),
    [
        (b'"host":"', b'"host":"\\ud800'),  # half a surrogate pair, which no file and no database takes
        (b'"host":"', b'"host":"\xed\xa0\x80'),
        (b'"host":"', b'"host":"\xff'),
        (b"{", b"\xef\xbb\xbf{"),
        (b"{", b'{"more":1,'),
        (b"{", b'{"more":1e999,'),
        (b"{", b'{"more":' + b"9" * 5000 + b","),
        (b"}", b"}{}"),
    ],
    ids=["surrogate", "utf-8 surrogate", "latin-1", "mark", "key", "infinite", "digits", "two"],
)
def test_text_that_is_not_strict_json_is_refused(right: Any, old: bytes, new: bytes) -> None:
    data = right.pack()
    place = data.rindex(old) if new.endswith(b"{}") else data.index(old)
    with pytest.raises(ValueError, match=r".+"):
        type(right).unpack(data[:place] + new + data[place + len(old) :])


@pytest.mark.parametrize("host", ["node\x1b[2J", "a\nb", "näme", "\udcff", "a b; rm -rf /", "x" * 200, ""])
def test_odd_name_of_a_host_is_sent_and_shown_escaped(
    host: str, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO")
    beat = Beat("w-1", "w", host, own_identity(), 1, "home", 1, 1)
    read = Beat.unpack(beat.pack())
    assert read.host == host.replace("\udcff", "?")
    roster = Roster("home")
    roster.read({"w-1": beat.pack()})
    assert all(record.getMessage().isprintable() for record in caplog.records)
    assert roster.host_of("w-1").isprintable()
    write_workers(tmp_path / "workers.json", roster.seen(()))
    found = read_workers(tmp_path / "workers.json")
    assert found is not None and found[0][0].host == read.host


def test_log_of_a_job_has_no_control_characters_of_a_worker(settings: Settings, job: Job) -> None:
    receive(
        Answer("node\x1b[2J", JobResult(job.id, 1, failure=Failure(Reason.TOOL_CRASH, "")), log="\x1b[2J\r").pack(),
        job,
        settings,
    )
    text = settings.job_log(job.id).read_text(encoding="utf-8")
    assert all(line.isprintable() for line in text.split("\n")) and "\\x1b[2J" in text


def with_result(answer: Answer, **changes: Any) -> Answer:
    return replace(answer, result=replace(answer.result, **changes))


def test_job_that_computes_gets_no_verdict(settings: Settings, job: Job, answer: Answer) -> None:
    published = answer.result.published
    assert published is not None
    for wrong in (
        with_result(answer, verdict=VERDICT),
        with_result(answer, verdict=VERDICT, published=None),
        with_result(answer, published=replace(published, trust=Trust.VERIFIED)),
        with_result(answer, published=replace(published, trust=Trust.QUICK_CHECKED)),
        with_result(answer, failure=Failure(Reason.TOOL_CRASH, "")),
    ):
        result = receive(wrong.pack(), job, settings).result
        assert result.failure is not None and result.failure.reason is Reason.BAD_RESULT
        assert (result.published, result.verdict) == (None, None)
    assert not LocalStore(settings.store_dir).has(Accession(NAME))


def test_verification_gets_only_the_signature_that_it_confirmed(
    settings: Settings,
    job: Job,
    answer: Answer,
) -> None:
    published = answer.result.published
    assert published is not None
    digest = published.provenance.digest
    verifying = replace(job, attempt=1, subject="sigs/SRR100/SRR1000000.sig", subject_digest=digest, depth="full")
    right = with_result(answer, verdict=VERDICT, published=replace(published, trust=Trust.VERIFIED))
    assert receive(right.pack(), verifying, settings).result.failure is None
    quick = replace(VERDICT, trust=Trust.QUICK_CHECKED, depth=Depth.QUICK)
    for wrong, subject in (
        (right, "e" * 64),
        (with_result(right, verdict=None), digest),
        (with_result(right, verdict=quick), digest),
        (with_result(right, verdict=replace(VERDICT, trust=Trust.MISMATCH)), digest),
        (with_result(right, verdict=replace(VERDICT, trust=Trust.COMPUTED), published=None), digest),
    ):
        result = receive(wrong.pack(), replace(verifying, subject_digest=subject), settings).result
        assert result.failure is not None and result.failure.reason is Reason.BAD_RESULT


@pytest.mark.parametrize(
    ("key", "value"),
    [
        *each("job_id attempt", 0, HUGE),
        *each("priority", 1001, -1001, HUGE, "1"),
        *each("name", "SRR1000000/..", "/etc/passwd", "C:\\x", "SRR1000000\x00", "GCA_000005845"),
        *each("profile", "", "/x", "..", "x" * 64),
        *each("s3", {"bucket": "x", "prefix": "../x", "endpoint": ""}, {"bucket": "file://../x"}),
    ],
)
def test_order_outside_of_the_bounds_is_refused(settings: Settings, job: Job, key: str, value: Any) -> None:
    document = json.loads(Order("home", PortableSpec.of(job, settings)).pack())
    with pytest.raises(ValueError, match=r".+"):
        Order.unpack(changed(document, f"spec.{key}", value))
