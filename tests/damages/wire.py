"""Damages on the way: an archive is obtained from a network in which something is wrong."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from random import Random

from tests.damages.damage import RANGES, SINGLE, damage_of
from tests.damages.network import Host, MemoryClient, Network
from tests.damages.subjects import PARTS, Subject
from tests.damages.verdict import Judge, Verdict, reason_of
from tests.support.locator_answers import answer, file_entry, run_entry
from wort_cli.model.accession import Accession
from wort_cli.model.failure import JobFailed
from wort_cli.pipeline.archives.columns import FASTQ_DUMP, VDB
from wort_cli.pipeline.archives.obtain import Obtainer, ProvedBy
from wort_cli.pipeline.archives.offer import Wish
from wort_cli.pipeline.archives.politeness import Politeness
from wort_cli.system.cancellation import NEVER

RUN = Accession("SRR000001")
SETUPS = (
    "one location",
    "one location, damaged once",
    "two locations",
    "a location and a mirror",
    "a location that is down, and a mirror",
    "one location, no md5",
    "two locations, no md5",
    "mirror alone",
    "mirror alone, damaged once",
    "two mirrors",
    "two mirrors of other sizes",
)
"""The servers of the archive; the first one damages it."""
INCURABLE = ("one location", "a location that is down, and a mirror", "one location, no md5", "mirror alone")
"""Cases without right bytes, or in which they cannot be distinguished from wrong ones."""


@dataclass(frozen=True)
class WireCase:
    """The damage of a case."""

    subject: Subject
    kind: str
    part: str
    place: int
    setup: str
    whole: bool
    decoder: str
    seed: str

    def __str__(self) -> str:
        whole = " whole" if self.whole else ""
        return f"{self.subject.name}: {self.kind} at {self.place} ({self.part}), {self.setup}{whole}, {self.decoder}"


def draw_case(subjects: Sequence[Subject], seed: str) -> WireCase:
    """Return the case of a seed."""
    rng = Random(seed)
    subject = rng.choice(subjects)
    kind = rng.choice(SINGLE if rng.random() < 0.7 else RANGES)
    part = rng.choice(PARTS)
    place = subject.place(part, rng)
    setup = rng.choice(SETUPS)
    return WireCase(subject, kind, part, place, setup, rng.random() < 0.15, rng.choice((FASTQ_DUMP, VDB)), seed)


def network_of(case: WireCase, other: bytes) -> tuple[Network, tuple[str, ...], str]:
    """Return the network of a case, the mirrors, and the URL of the locator."""
    data, setup = case.subject.data, case.setup
    damage = damage_of(case.kind, case.subject, case.place, Random(case.seed), other)
    bad = Host(data, damage, times=1 if "once" in setup else -1)
    hosts = {"a": bad, "b": Host(data), "m": Host(data)}
    named = [f"https://{name}/{RUN}" for name in ("a", "b")]
    entry = file_entry(RUN, data, named[: 2 if setup.startswith("two") else 1])
    mirrors = ("https://m/{run}",) if setup == "a location and a mirror" else ()
    if setup == "a location that is down, and a mirror":
        hosts["a"], hosts["m"], mirrors = Host(data, status=503), bad, ("https://m/{run}",)
    if "no md5" in setup:
        entry["md5"] = ""
    if "mirror" not in setup.split(",")[0].split(" and ")[0]:
        return Network(hosts, answer(run_entry(RUN, entry))), mirrors, "https://locator/sdl"
    if setup == "two mirrors of other sizes":
        hosts["a"] = Host(data, damage, size=max(30, case.place))
    pair = ("https://a/{run}", "https://b/{run}")
    return Network(hosts), pair[: 2 if setup.startswith("two") else 1], "https://locator/sdl"


def is_curable(case: WireCase) -> bool:
    """Return whether the right bytes can be fetched and distinguished from wrong ones."""
    has_md5 = "mirror" not in case.setup.split(" and ")[0] and "no md5" not in case.setup
    cannot = case.setup in INCURABLE or case.subject.is_damaged
    return not cannot and (has_md5 or case.subject.has_sums)


def run_case(case: WireCase, other: bytes, directory: Path, judge: Judge) -> Verdict:
    """Obtain the archive, and judge the result."""
    network, mirrors, locator = network_of(case, other)
    wish = Wish(RUN, case.decoder, whole=case.whole, locator_url=locator, mirrors=mirrors)
    obtainer = Obtainer(MemoryClient(network), Politeness(directory / "rates", 2), NEVER, lambda text: None)
    try:
        obtained = obtainer.obtain(wish, directory / "archive")
    except JobFailed as failed:
        return Verdict("not cured", reason_of(failed).detail) if is_curable(case) else reason_of(failed)
    if obtained.proof.identified and not network.locator:
        return Verdict("wrong", "identified without a locator")
    if obtained.proof.by is ProvedBy.NOTHING:
        return Verdict("wrong", "nothing has proved it")
    return judge.judge_bytes(case.subject, obtained.path, case.decoder, obtained.proof.by)
