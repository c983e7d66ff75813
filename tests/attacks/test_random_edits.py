"""Honest commands and hostile edits in any order: what has an established trust is right, and is never lost.

The edits are those of the other tests of this folder: of objects, metadata and provenance in the bucket, of files and
provenance in the store, and of copies of the catalog.
"""

import contextlib
import gzip
import json
import os
import shutil
import sqlite3
import tempfile
from collections.abc import Callable
from pathlib import Path

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test

from tests.support.builders import provenance
from tests.support.memory_store import MemoryStore
from tests.support.small_world import (
    SmallWorld,
    publish_elsewhere,
    reference,
    reference_sketches,
    renamed,
    wrong,
    wrong_sketches,
)
from wort_cli.model.accession import Accession
from wort_cli.model.provenance import ESTABLISHED, Trust
from wort_cli.model.signature_file import digest

EXAMPLES, STEPS = int(os.environ.get("RANDOM_EDITS", "8")), 14
NAMES = ("SRR000001", "SRR000002")
CONTENTS: dict[str, Callable[[str], bytes]] = {
    "right": reference,
    "wrong": wrong,
    "garbage": lambda _: b"<html>",
    "empty": lambda _: b"",
    "other run": lambda name: reference(NAMES[name == NAMES[0]]),
    "other name": lambda name: renamed(reference(name), name, NAMES[name == NAMES[0]]),
    "filename": lambda name: gzip.compress(
        gzip.decompress(reference(name)).replace(b'"filename":""', b'"filename":"x"'), mtime=0
    ),
}
DOCUMENTS = {
    "nested": b"[" * 100_000,
    "other name": json.dumps(provenance(NAMES[1]).to_json()).encode(),
    "typed": json.dumps({**provenance(NAMES[0]).to_json(), "spots": "many"}).encode(),
    "infinite": json.dumps({**provenance(NAMES[0]).to_json(), "seconds": float("inf")}).encode(),
}
names, contents = st.sampled_from(NAMES), st.sampled_from(sorted(CONTENTS))


class Edits(RuleBasedStateMachine):
    """A home, a bucket, and somebody who edits both."""

    @initialize()
    def make(self) -> None:
        self.root = Path(tempfile.mkdtemp())
        self.objects = MemoryStore()
        self.world = SmallWorld(self.root / "home", self.objects)
        self.verified: set[str] = set()
        self.touched: set[str] = set()
        """Runs whose file was edited: their signatures may be lost, and must then be computed again."""
        self.copy: tuple[Path, set[str]] | None = None

    def teardown(self) -> None:
        if hasattr(self, "root"):
            shutil.rmtree(self.root)

    # ---- Honest commands

    @rule(name=names, flag=st.sampled_from(["", "", "--force", "--no-upload"]))
    def compute(self, name: str, flag: str) -> None:
        self.world("compute", name, "--now", *flag.split())
        record = self.world.record(name)
        if record is not None and record.trust in ESTABLISHED and self.is_right(name):
            self.touched.discard(name)

    @rule(name=names, flag=st.sampled_from(["view", "compute --now"]))
    def get_copy(self, name: str, flag: str) -> None:
        """A file that a command returns as established is right."""
        out = self.root / "out.sig.gz"
        out.unlink(missing_ok=True)
        done = self.world(*flag.split(), "-o", str(out), name)
        if done.code == 0 and self.world.trust(name) in ESTABLISHED:
            assert gzip.decompress(out.read_bytes()) == gzip.decompress(reference(name))

    @rule(name=names)
    def verify(self, name: str) -> None:
        self.world("verify", name, "--now")
        if self.world.trust(name) == Trust.VERIFIED:
            self.verified.add(name)

    @rule(command=st.sampled_from(["push", "pull", "check", "check --repair"]), name=names)
    def sync(self, command: str, name: str) -> None:
        before = self.objects.contents.get(f"sigs/{name}.sig")
        self.world("sync", *command.split(), name)
        after = self.objects.contents.get(f"sigs/{name}.sig")
        assert after in (before, reference(name)), "only the right signature is pushed"

    @rule()
    def repair(self) -> None:
        self.world.repair()

    # ---- Hostile edits

    @rule(name=names, content=contents, lie=st.sampled_from(["", "verified", "mismatch"]))
    def edit_object(self, name: str, content: str, lie: str) -> None:
        publish_elsewhere(self.objects, name, wrong_sketches(name) if content == "wrong" else reference_sketches(name))
        self.objects.contents[f"sigs/{name}.sig"] = CONTENTS[content](name)
        if lie:
            self.objects.metadata[f"sigs/{name}.sig"]["trust"] = lie

    @rule(name=names, document=st.sampled_from(sorted(DOCUMENTS)))
    def edit_shared_provenance(self, name: str, document: str) -> None:
        self.objects.edit(f"prov/{name}.json", DOCUMENTS[document])

    @rule(name=names)
    def remove_object(self, name: str) -> None:
        self.objects.contents.pop(f"sigs/{name}.sig", None)

    @rule(name=names, content=contents, forged=st.booleans())
    def edit_file(self, name: str, content: str, forged: bool) -> None:
        """Swap the file, or plant one, if wanted with a provenance that matches it."""
        path = self.world.file(name)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(CONTENTS[content](name))
        if forged:
            sketches = wrong_sketches(name) if content == "wrong" else reference_sketches(name)
            self.world.store.put_provenance(provenance(name, digest=digest(sketches)), Accession(name))
        self.touched.add(name)

    @rule(name=names, document=st.sampled_from(sorted(DOCUMENTS)))
    def edit_provenance(self, name: str, document: str) -> None:
        path = self.world.store.provenance_path(Accession(name))
        if path.parent.exists():
            path.write_bytes(DOCUMENTS[document])

    @rule(name=names)
    def remove_file(self, name: str) -> None:
        self.world.file(name).unlink(missing_ok=True)
        self.touched.add(name)

    @rule()
    def copy_catalog(self) -> None:
        path = self.root / "copy.db"
        path.unlink(missing_ok=True)
        if self.world.settings.ledger_file.exists():
            with (
                contextlib.closing(sqlite3.connect(self.world.settings.ledger_file)) as source,
                contextlib.closing(sqlite3.connect(path)) as target,
            ):
                source.backup(target)
            self.copy = (path, set(self.verified))

    @rule()
    def put_copy_of_catalog_back(self) -> None:
        """Later verifications are lost; the records of the copy count."""
        if self.copy is not None:
            for path in self.world.root.glob("ledger.db*"):
                path.unlink()
            shutil.copy(self.copy[0], self.world.settings.ledger_file)
            self.verified = set(self.copy[1])
            self.touched |= set(NAMES)

    # ---- What holds

    def is_right(self, name: str) -> bool:
        """Return whether the local file is the right one."""
        path = self.world.file(name)
        return path.exists() and path.read_bytes() == reference(name)

    @invariant()
    def established_trust_is_deserved(self) -> None:
        for name in NAMES if hasattr(self, "world") else ():
            record = self.world.record(name)
            if record is not None and record.trust in ESTABLISHED:
                assert record.digest == digest(reference_sketches(name))

    @invariant()
    def verified_signatures_are_kept(self) -> None:
        for name in sorted(self.verified) if hasattr(self, "world") else ():
            if self.world.trust(name) != Trust.VERIFIED:
                assert name in self.touched, "its file was not edited"
                self.verified.discard(name)


LIMITS = settings(
    max_examples=EXAMPLES, stateful_step_count=STEPS, deadline=None, suppress_health_check=list(HealthCheck)
)


def test_established_trust_is_deserved_and_kept() -> None:
    run_state_machine_as_test(Edits, settings=LIMITS)
