"""Properties of values: input is accepted unchanged or refused, and what was written is read back unchanged."""

import json
import re
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wort_cli.commands.shared.arguments.sources import parse_sources
from wort_cli.commands.shared.showing.render import duration, printable
from wort_cli.errors import InvalidAccession, InvalidName, WortError, shown
from wort_cli.ledger.retry import CRASHES, PENDING, SHORTAGES, RetryPolicy, decide
from wort_cli.model.accession import Accession, LocalName, Name, parse_name
from wort_cli.model.failure import Disposition, Failure, Reason
from wort_cli.model.job import JobState, Source
from wort_cli.model.job_result import JobResult, Published
from wort_cli.model.provenance import Provenance, Recorded, SketchSummary, Trust
from wort_cli.model.s3_target import S3Target
from wort_cli.model.units import format_bytes
from wort_cli.model.verdict import Depth
from wort_cli.pipeline.job_spec import JobSpec, Method, RequestRate, Reserves, Subject, TimeLimits

ANYTHING = st.text(st.characters())
"""Any text, including lone surrogates."""
ODD = st.one_of(
    ANYTHING,
    st.from_regex(r"\s?[SDEX]RR[0-9]{4,11}\s?", fullmatch=True),
    st.from_regex(r"\s?[sdeSDE][rR][rR]\d{4,11}\s?", fullmatch=True),
    st.lists(st.sampled_from(["SRR139146", "-", "/", "..", " ", "\n", "\0", "a", "~", ".sra"])).map("".join),
)
NAMES: st.SearchStrategy[Name] = st.one_of(
    st.from_regex(r"[SDE]RR[0-9]{6,9}", fullmatch=True),
    st.from_regex(r"[A-Za-z0-9][A-Za-z0-9._-]{0,20}", fullmatch=True),
).filter(str.isascii).map(parse_name)  # fmt: skip
PATHS = ANYTHING.filter(lambda text: "\0" not in text).map(lambda text: Path(f"/x/{text}"))
COUNTS = st.integers(0, 2**63 - 1)
TIMES = st.floats(0, 1e12)
SUMMARIES = st.builds(SketchSummary, COUNTS, COUNTS, COUNTS, ANYTHING, st.sampled_from(["", *Reason]))
PROVENANCES = st.builds(
    Provenance, name=NAMES, profile=ANYTHING, digest=ANYTHING, sketches=st.lists(SUMMARIES).map(tuple), spots=COUNTS,
    spots_passed=COUNTS, reads=COUNTS, bases=COUNTS, source=ANYTHING, source_size=COUNTS, source_sha256=ANYTHING,
    source_mtime=TIMES, validated=st.booleans(), tools=st.dictionaries(ANYTHING, ANYTHING),
    argv=st.lists(ANYTHING).map(tuple), slices=COUNTS, engine=ANYTHING, started_at=TIMES, seconds=TIMES, host=ANYTHING,
)  # fmt: skip
FAILURES = st.builds(Failure, st.sampled_from(Reason), ANYTHING, st.booleans())
METHODS = st.builds(Method, engine=ANYTHING, decoder=ANYTHING, slice_bases=COUNTS)
TIME_LIMITS = st.builds(TimeLimits, resolve_timeout=TIMES, stall_timeout=TIMES, slice_timeout=TIMES)
RESERVES = st.builds(Reserves, disk_reserve=COUNTS, memory_reserve=COUNTS, distinct_share=TIMES)
REQUEST_RATES = st.builds(RequestRate, rates_dir=st.none() | PATHS, request_interval=TIMES, request_pause=TIMES)
TARGETS = st.builds(S3Target, st.just("bucket"), st.sampled_from(["", "a/b/"]), unsigned=st.booleans(), timeout=TIMES)
SUBJECTS = st.builds(Subject, path=PATHS, digest=ANYTHING, depth=st.sampled_from(Depth))
SPECS = st.builds(
    JobSpec, job_id=COUNTS, attempt=COUNTS, source=st.builds(Source, NAMES, st.none() | PATHS), profile=ANYTHING,
    workspace=PATHS, store=PATHS, log=PATHS, archives=st.lists(PATHS).map(tuple), threads=COUNTS, method=METHODS,
    time_limits=TIME_LIMITS, reserves=RESERVES, request_rate=REQUEST_RATES, owner=ANYTHING, force=st.booleans(),
    s3=st.none() | TARGETS, subject=st.none() | SUBJECTS,
    recorded=st.none() | st.builds(Recorded, ANYTHING, st.sampled_from(Trust), ANYTHING),
)  # fmt: skip
RESULTS = st.builds(
    JobResult, COUNTS, COUNTS,
    published=st.none() | st.builds(Published, ANYTHING, COUNTS, PROVENANCES, sha256=ANYTHING),
    failure=st.none() | FAILURES,
)  # fmt: skip


def through_json(data: dict[str, Any]) -> Any:
    return json.loads(json.dumps(data))


@given(ODD)
def test_text_is_parsed_as_an_accession_unchanged_or_refused(text: str) -> None:
    try:
        accession = Accession.parse(text)
    except InvalidAccession as refusal:
        assert not re.fullmatch(r"(S|D|E)RR[0123456789]{6,9}", text)
        assert refusal.sentence.isprintable()
        assert refusal.hint.isprintable()
    else:
        assert accession == text
        assert re.fullmatch(r"(S|D|E)RR[0123456789]{6,9}", text)
        assert "\n" not in text


@given(ODD)
def test_name_never_leaves_its_directory_and_is_never_an_option(text: str) -> None:
    try:
        name = parse_name(text)
    except InvalidName as refusal:
        assert refusal.sentence.isprintable()
    else:
        assert name == text
        assert isinstance(name, Accession | LocalName)
        assert Path(f"/root/{name}.sig").resolve().parent == Path("/root")
        assert not name.startswith("-")
        assert name.isascii()
        assert name.isprintable()


@given(st.lists(ODD.filter(lambda word: word != "-"), min_size=1, max_size=4))
def test_typed_words_are_all_sources_or_one_is_refused(words: list[str]) -> None:
    try:
        sources = parse_sources(words, None, "")
    except WortError as refusal:
        assert refusal.sentence.replace("\n", "").isprintable()
        assert refusal.exit_code == 2
    else:
        assert 0 < len(sources) <= len(words)


@given(ANYTHING, st.integers(0, 100))
def test_shown_text_is_printable_and_short(text: str, limit: int) -> None:
    result = shown(text, limit)
    assert result.isprintable()
    assert result[0] in "'\""
    assert result[-1] == result[0]
    assert len(result) <= 10 * limit + 10


@given(ANYTHING)
def test_printable_escapes_control_characters_and_nothing_else(text: str) -> None:
    assert printable(text).isprintable()
    assert printable(printable(text)) == printable(text)
    assert not text.isprintable() or printable(text) == text


@given(st.floats(-1e6, 1e9), st.floats(0, 1e6))
def test_longer_duration_is_never_formatted_as_a_shorter_one(seconds: float, more: float) -> None:
    def read(text: str) -> int:
        units = {"s": 1, "m": 60, "h": 3600}
        text = text.replace("<1s", "0s")
        return sum(int(part[:-1]) * units[part[-1]] for part in text.split())

    assert read(duration(seconds)) <= read(duration(seconds + more))
    assert abs(read(duration(seconds)) - max(0.0, seconds)) <= 60


@given(st.integers(0, 10**15))
def test_formatted_bytes_are_exact_to_five_percent(number: int) -> None:
    value, unit = format_bytes(number).split()
    factor = 1000 ** ("B", "kB", "MB", "GB", "TB").index(unit)
    assert float(value) * factor == pytest.approx(number, rel=0.05, abs=0.5)
    assert float(value) < 1000 or unit == "TB"


@given(SPECS)
def test_job_spec_is_restored_from_json(spec: JobSpec) -> None:
    again = JobSpec.from_json(through_json(spec.to_json()))
    assert again == spec
    assert type(again.source.name) is type(spec.source.name)


@given(RESULTS)
def test_job_result_is_restored_from_json(result: JobResult) -> None:
    assert JobResult.from_json(through_json(result.to_json())) == result


@given(PROVENANCES, st.dictionaries(st.from_regex("later_[a-z]+", fullmatch=True), ANYTHING))
def test_provenance_is_restored_from_json_with_unknown_keys(provenance: Provenance, added: dict[str, str]) -> None:
    assert Provenance.from_json(through_json({**provenance.to_json(), **added})) == provenance


@given(
    FAILURES,
    st.integers(0, 10_000),
    st.builds(
        RetryPolicy, crash_tries=st.integers(1, 50), crash_delay=st.floats(0.001, 100), tries=st.integers(1, 50),
        delay=st.floats(0.001, 1e4), max_delay=st.floats(0.001, 1e5),
    ),
    st.floats(0, 1, exclude_max=True),
)  # fmt: skip
def test_delay_is_near_its_nominal_length_and_retries_are_bounded(
    failure: Failure, earlier: int, policy: RetryPolicy, jitter: float
) -> None:
    verdict = decide(failure, earlier, policy, jitter)
    crash, short = failure.reason in CRASHES, failure.reason in SHORTAGES
    tries, first = (policy.crash_tries, policy.crash_delay) if crash else (policy.tries, policy.delay)
    if verdict.state is JobState.WAITING:
        assert failure.disposition is Disposition.RETRY
        assert short or earlier + 1 < tries
        nominal = min(policy.max_shortage_delay if short else policy.max_delay, first * 2.0 ** min(earlier, 30))
        if failure.reason in PENDING:
            nominal = policy.pending_delay
        assert 0.75 * nominal <= verdict.delay <= 1.25 * nominal
    else:
        assert verdict.delay == 0
        assert verdict.state is (
            JobState.UNAVAILABLE if failure.disposition is Disposition.UNAVAILABLE else JobState.FAILED
        )
        assert failure.disposition is not Disposition.RETRY or (not short and earlier + 1 >= tries)
