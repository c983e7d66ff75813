"""The environment of child processes."""

from wort_cli.system.environment import WORT, child_environment


def test_password_of_the_queue_is_not_given_to_child_processes() -> None:
    given = {"WORT_QUEUE_PASSWORD": "secret", "WORT_JOBS": "2", "AWS_SECRET_ACCESS_KEY": "secret", "PATH": "/bin"}
    assert child_environment(WORT, given) == {"WORT_JOBS": "2", "PATH": "/bin"}
