"""The number of a job as a UUID."""

import uuid

import pytest

from wort_cli.web.task_id import job_of_task, task_id


@pytest.mark.parametrize("number", [1, 2, 12345, 2**40, 2**61 - 1])
def test_id_is_a_uuid_that_has_the_number(number: int) -> None:
    made = task_id("home", number)
    assert (uuid.UUID(made).version, uuid.UUID(made).variant) == (8, uuid.RFC_4122)
    assert job_of_task("home", made) == number


@pytest.mark.parametrize("text", ["", "1", "x" * 36, "00000000-0000-0000-0000-000000000001", task_id("other", 1)])
def test_other_ids_are_of_no_job(text: str) -> None:
    assert job_of_task("home", text) is None
