"""An invalid accession is refused: no tool is started, no job is enqueued, no control character is printed."""

from pathlib import Path

import pytest

from tests.support.homes import Done, Home

TOOLS = ("fastq-dump", "srapath", "sra-stat", "vdb-validate", "vdb-dump", "prefetch", "ls", "sh")
HOSTILE: dict[str, str | bytes] = {
    "unknown option": "-Z",
    "options": "--split-files",
    "parent": "../x",
    "absolute": "/no/such/file.sra",
    "home": "~root/x",
    "url": "http://127.0.0.1/x.sra",
    "file url": "file:///etc/passwd",
    "blank": "a b",
    "two": "SRR139146 SRR139147",
    "comma": "SRR139146,SRR139147",
    "shell": "SRR1;ls",
    "substitution": "$(ls)",
    "line feed": "SRR139146\n",
    "line feed inside": "SRR139146\nSRR139147",
    "carriage return": "SRR139146\r",
    "escape": "\x1b[2J\x1b[31mSRR139146",
    "escaped option": "--\x1b[2J\x1b[31mSRR139146",
    "bell": "SRR139146\x07",
    "c1": "SRR139146\x9b31m",
    "right to left": "SRR\u202e139146",
    "fullwidth digits": "SRR１３９１４６",
    "arabic digits": "SRR١٣٩١٤٦",
    "short": "SRR12345",
    "long": "SRR1234567890",
    "study without digits": "SRP",
    "short study": "SRP00001",
    "huge": "SRR" + "1" * 10_000,
    "huge option": "--" + "x" * 10_000,
    "huge path": "/" + "x" * 10_000,
    "empty": "",
    "blanks": "   ",
    "not utf-8": b"SRR139146\xff\xfe",
    "sql": "SRR139146'; DROP TABLE jobs; --",
    "format": "{0.__class__}%s%n",
}
every = pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE.keys())


@pytest.fixture
def marker(home: Home) -> Path:
    """A file that exists if a tool was started; the PATH has only stand-ins that write it."""
    started = home.root / "started"
    for tool in TOOLS:
        home.env["PATH"] = home.with_tool(tool, f'echo "$0 $*" >> {started}')["PATH"].split(":", 1)[0]
    return started


def check_refusal(done: Done, home: Home, marker: Path, least: int = 1) -> None:
    """Check that the command was refused in a few printable lines, and had no effect."""
    assert done.code == 2, str(done)
    assert done.out == ""
    assert len(done.err) < 1500, len(done.err)
    assert least <= len(done.err.splitlines()) <= 10
    assert all(c.isprintable() or c == "\n" for c in done.err), ascii(done.err)
    assert not marker.exists(), marker.read_text()
    assert not home.jobs()
    assert not home.signature_files()


@every
def test_compute_refuses(text: str | bytes, home: Home, marker: Path) -> None:
    check_refusal(home("compute", text, "--now"), home, marker)


def test_compute_refuses_lists(home: Home, marker: Path) -> None:
    """One invalid line among valid ones: nothing is enqueued."""
    words = [text for text in HOSTILE.values() if isinstance(text, str) and text.isprintable()]
    whole = [word for word in words if len(word.split()) == 1 and "," not in word]  # a line may name several runs
    assert len(whole) > 15
    for text in whole:
        check_refusal(home("compute", "-", stdin=f"SRR000001\n{text}\nSRR000002\n"), home, marker)
    (home.cwd / "list").write_text("\n".join(["SRR000001", *whole]))
    done = home("compute", "--from-file", "list", "--now")
    check_refusal(done, home, marker)
    assert f"and {len(whole) - 5} more" in done.err


@pytest.mark.parametrize("command", ["view", "logs", "status", "cancel", "retry", "wait"])
def test_other_commands_refuse(command: str, home: Home, marker: Path) -> None:
    for name in ("parent", "line feed", "escaped option", "huge", "fullwidth digits", "not utf-8"):
        check_refusal(home(command, HOSTILE[name]), home, marker)


@pytest.mark.parametrize("name", ["../x", "a/b", "-x", ".hidden", "a\nb", "", "x" * 101, "SRR１３９１４６", "\x1b[2J"])
def test_invalid_names_are_refused(name: str, home: Home, marker: Path) -> None:
    (home.cwd / "x.sra").write_bytes(b"NCBI.sra\5\3\x19\x88")
    done = home("compute", "x.sra", "--name", name)
    if name:
        check_refusal(done, home, marker)
    else:
        done.expect(0)  # an empty name means the stem of the file


@pytest.mark.parametrize(
    "flags",
    [("--group", "a\x1b[2Jb"), ("--profile", "\x1b[2J"), ("--priority", "1001"), ("-o", "\x1b[2J/x")],
    ids=lambda flags: flags[0],
)
def test_options_with_control_characters(flags: tuple[str, ...], home: Home, marker: Path) -> None:
    """They are refused, or stored and shown without control characters."""
    done = home("compute", "SRR139146", *flags)
    assert all(c.isprintable() or c in "\n\t" for c in done.err + done.out), ascii(done.err)
    assert done.code in (0, 2)
    shown = home("status", "--tsv").expect(0).out
    assert all(c.isprintable() or c in "\n\t" for c in shown), ascii(shown)
    assert not marker.exists()


@pytest.mark.parametrize(
    ("variable", "value"),
    [("WORT_JOBS", "0"), ("WORT_RESOLVE_TIMEOUT", "-1"), ("WORT_LEASE", "nan"), ("WORT_ENGINE", "\x1b[2J")],
)
def test_invalid_settings_are_refused(variable: str, value: str, home: Home, marker: Path) -> None:
    done = home("compute", "SRR139146", env={variable: value})
    check_refusal(done, home, marker)
    assert variable in done.err


def test_control_characters_of_tools_are_not_printed(home: Home) -> None:
    """Text from a server or an archive reaches the user through the stderr of a tool."""
    for tool in ("fastq-dump", "srapath", "sra-stat", "vdb-validate"):
        env = home.with_tool(tool, r"printf 'err: \033[2J\007 \x9b31m file corrupt\n' >&2; exit 3")
    outputs = []
    for command in (("compute", "SRR139146", "--now"), ("logs", "SRR139146"), ("status",), ("status", "--csv")):
        done = home(*command, env={**env, "WORT_RESOLVE_TIMEOUT": "5"})
        outputs.append(done.out + done.err)
    assert "file corrupt" in outputs[0]
    for text in outputs:
        assert all(c.isprintable() or c in "\n\t\ufffd" for c in text), ascii(text)
