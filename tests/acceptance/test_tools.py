"""Tools of the SRA toolkit that are missing, crash or stall."""

from pathlib import Path

import pytest

from tests.support.bad_cases import BadCase, check_bad_case
from tests.support.homes import FASTQ_DUMP, Home
from tests.support.shelf import Shelf, copy_archive

TOOL_MISSING = BadCase(
    *("tool", lambda *_: None, "failed", "tool-missing", 1),
    *("a tool of the SRA toolkit is missing", "apt install sra-toolkit"),
)


@pytest.mark.parametrize("missing", ["fastq-dump", "sra-stat", "vdb-validate"])
def test_missing_tool_that_is_needed(missing: str, home: Home, shelf: Shelf) -> None:
    """One tool is missing and the others exist: fastq-dump to decode, sra-stat to count, or vdb-validate to check."""
    for tool in {"fastq-dump", "sra-stat", "vdb-validate", "srapath"} - {missing}:
        (home.root / "bin" / tool).symlink_to(Path(FASTQ_DUMP).with_name(tool))
    archive = {
        "fastq-dump": shelf.archive,
        "sra-stat": lambda: shelf.archive("aligned"),
        "vdb-validate": shelf.without_sums,
    }[missing]()
    copy_archive(archive, home.cwd / "x.sra")
    env = {"PATH": str(home.root / "bin"), "WORT_DECODER": "fastq-dump"}
    check_bad_case(home, "x", home("compute", "x.sra", "--now", env=env).expect(1, missing), TOOL_MISSING)


def test_archive_that_is_counted_proved_and_decoded_in_process_needs_no_tool(home: Home, shelf: Shelf) -> None:
    archive = copy_archive(shelf.archive(), home.cwd / "x.sra")
    home("compute", "x.sra", "--now", env={"PATH": str(home.root / "bin")}).expect(0)
    assert home.signature("x") == shelf.reference(archive, "x")
    provenance = home("view", "x", "--json").expect(0).records()[0]["provenance"]
    assert set(provenance["tools"]) == {"wort", "sourmash", "numpy", "libncbi-vdb"}
    home("compute", "x.sra", "--now", "--force", env={"WORT_DECODER": "fastq-dump"}).expect(0)
    provenance = home("view", "x", "--json").expect(0).records()[0]["provenance"]
    assert set(provenance["tools"]) == {"wort", "sourmash", "numpy", "fastq-dump"}


def test_version_of_fastq_dump_may_be_known_after_the_slices_are_decoded(home: Home, shelf: Shelf) -> None:
    """Slices of a library that was not compared with this version do not count."""
    asks = f"until grep -rqs 'reading spots' {home.path}; do sleep 0.05; done; echo fastq-dump : 9.9.9; exit"
    env = home.with_tool("fastq-dump", f'[ "$1" != --version ] || {{ {asks}; }}; exec {FASTQ_DUMP} "$@"')
    archive = copy_archive(shelf.archive(), home.cwd / "x.sra")
    home("compute", "x.sra", "--now", env={**env, "WORT_DECODER": "auto"}).expect(0)
    provenance = home("view", "x", "--json").expect(0).records()[0]["provenance"]
    assert (provenance["decoders"], provenance["tools"]["fastq-dump"]) == (["fastq-dump"], "9.9.9")
    assert home.signature("x") == shelf.reference(archive, "x")
    assert "was not compared with fastq-dump 9.9.9" in home("logs", "x").expect(0).out


def test_missing_tool_with_the_daemon(home: Home, shelf: Shelf) -> None:
    home.keep("SRR000001", shelf.archive())
    home("daemon", "start", env={"PATH": str(home.root / "bin")}).expect(0)
    check_bad_case(home, "SRR000001", home("compute", "SRR000001", "--wait"), TOOL_MISSING)
    home("daemon", "restart").expect(0)
    assert home("retry", "--failed").expect(0).out == "1 job queued again\n"
    home("wait", "SRR000001").expect(0)


def test_tool_that_cannot_be_executed(home: Home, shelf: Shelf) -> None:
    copy_archive(shelf.archive(), home.cwd / "x.sra")
    env = home.with_tool("fastq-dump", "exit 1")
    (home.root / "bin" / "fastq-dump").write_text("#!/no/such/interpreter\n")
    home("compute", "x.sra", "--now", env=env).expect(1, "tool-missing", "cannot be executed")


def test_crashing_decoder_is_retried_twice(home: Home, shelf: Shelf) -> None:
    crash = f'case " $* " in *" --fasta "*) kill -SEGV $$;; *) exec {FASTQ_DUMP} "$@";; esac'
    env = home.with_tool("fastq-dump", crash)
    copy_archive(shelf.archive(), home.cwd / "x.sra")
    done = home("compute", "x.sra", "--now", env=env).expect(1, "tool-crash", "signal 11", "wort logs")
    assert (home.job("x").attempt, home.job("x").state) == (3, "failed")
    assert [state for state, _ in home.events("x")].count("waiting") == 2
    assert not home.signature_files()
    assert done.rows()[0][3] == "tool-crash"


def test_stalled_decoder_is_killed(home: Home, shelf: Shelf) -> None:
    env = home.with_tool(
        "fastq-dump", f'case " $* " in *" --fasta "*) echo ">1.1"; sleep 1000;; *) exec {FASTQ_DUMP} "$@";; esac'
    )
    copy_archive(shelf.archive(), home.cwd / "x.sra")
    done = home("compute", "x.sra", "--now", env={**env, "WORT_STALL_TIMEOUT": "1"})
    done.expect(75, "timeout", "fastq-dump wrote nothing for 1 seconds", "slice_timeout")
    home.until_idle()
