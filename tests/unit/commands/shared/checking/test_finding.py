"""Tests of the results of `wort doctor` in a terminal."""

from wort_cli.commands.shared.checking.finding import Finding, lines_for_terminal

PATH = "/home/somebody/.local/share/wort/signatures/of/the/whole/department"


def test_message_stands_beside_what_was_checked_and_the_fix_below() -> None:
    findings = [
        Finding("ok", "srapath", "3.0.3, /usr/bin/srapath"),
        Finding("warning", "daemon", "not running", "`wort daemon start`, or use `wort compute --now`"),
    ]
    assert list(lines_for_terminal(findings, 40)) == [
        "ok        srapath  3.0.3,",
        "                   /usr/bin/srapath",
        "warning   daemon   not running",
        "                   -> `wort daemon",
        "                   start`, or use `wort",
        "                   compute --now`",
    ]


def test_paths_are_never_folded_and_control_characters_are_escaped() -> None:
    lines = list(lines_for_terminal([Finding("ok", PATH, "77 GB free\x1b"), Finding("problem", "x", PATH)], 40))
    assert lines == [f"ok        {PATH}", "             77 GB free\\x1b", f"problem   x  {PATH}"]
