"""Tests that options of the same name are the same in every command, and of the checks of their values."""

from collections import defaultdict

import pytest

from scripts.reference import all_commands
from wort_cli.commands.shared.arguments.options import check_engine, check_wait_and_now
from wort_cli.errors import UsageError

VARIANTS = {
    "--all": 3,  # select the jobs that have not ended, show everything, export everything
    "--expires": 2,  # a URL, a token
    "--force": 3,  # compute again, replace a file, replace signatures that were merged
    "--full": 1,  # doctor; for verify it is the secondary name of --quick
    "--group": 2,  # put jobs into a group, select the jobs of a group
    "--ksize": 3,  # view one, export some, define a profile
    "--moltype": 2,  # export, define a profile
    "--now": 2,  # run jobs in this process, kill the daemon
    "--local": 2,  # compute, catalog
    "--output": 5,  # signatures, archives, collections, catalogs, lists
    "--quick": 2,  # verify, sync check
    "--repair": 2,  # doctor, sync check
    "--scaled": 2,  # export, define a profile
    "--url": 2,  # submit, view
}


def test_option_has_one_help_text_in_all_commands() -> None:
    texts: dict[str, set[str]] = defaultdict(set)
    for _, command, _ in all_commands():
        for parameter in command.params:
            texts[parameter.opts[-1]].add(parameter.help)
    assert {
        name: found for name, found in texts.items() if name.startswith("--") and len(found) > VARIANTS.get(name, 1)
    } == {}


@pytest.mark.parametrize("engine", ["", "kernel", "sourmash"])
def test_known_engine_is_accepted(engine: str) -> None:
    check_engine(engine)


def test_unknown_engine_is_refused_with_a_list_of_the_known_ones() -> None:
    with pytest.raises(UsageError) as error:
        check_engine("gpu\n")
    assert (error.value.sentence, error.value.hint) == (
        "there is no engine 'gpu\\n'", "the engines are: kernel, sourmash",
    )  # fmt: skip


def test_wait_and_now_exclude_each_other() -> None:
    check_wait_and_now(wait=True, now=False)
    check_wait_and_now(wait=False, now=True)
    with pytest.raises(UsageError):
        check_wait_and_now(wait=True, now=True)
