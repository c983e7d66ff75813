"""The installed Huey has the undocumented names that the daemon uses."""

import inspect
from pathlib import Path

import pytest
from huey.consumer import Consumer
from huey.serializer import Serializer

from wort_cli.daemon.huey_internals import CONSUMER, SERIALIZER, STORAGE, all_processes, worker_processes
from wort_cli.daemon.queue import JsonSerializer, WorkQueue


@pytest.fixture
def consumer(queue: WorkQueue) -> Consumer:
    return queue.huey.create_consumer(workers=2, worker_type="process", periodic=False, check_worker_health=True)


@pytest.mark.parametrize("name", CONSUMER)
def test_consumer_has_attribute(consumer: Consumer, name: str) -> None:
    assert hasattr(consumer, name)


@pytest.mark.parametrize("name", STORAGE)
def test_storage_has_method(queue: WorkQueue, name: str) -> None:
    assert callable(getattr(queue.huey.storage, name))


@pytest.mark.parametrize("name", SERIALIZER)
def test_serializer_has_the_methods_that_are_overridden(name: str) -> None:
    assert callable(getattr(Serializer, name))
    assert getattr(JsonSerializer, name) is not getattr(Serializer, name)


def test_private_methods_have_the_parameters_that_are_passed(consumer: Consumer) -> None:
    assert list(inspect.signature(consumer._create_worker).parameters) == []
    assert len(inspect.signature(consumer._create_process).parameters) == 2


def test_consumer_has_one_process_per_worker_and_a_scheduler(consumer: Consumer) -> None:
    assert len(worker_processes(consumer)) == 2
    assert len(all_processes(consumer)) == 3
    assert all(process.pid is None for process in all_processes(consumer)), "none is started yet"


def test_no_other_module_uses_private_attributes_of_huey() -> None:
    package = Path(inspect.getfile(WorkQueue)).parent
    for module in sorted(package.glob("*.py")):
        if module.name != "huey_internals.py":
            text = module.read_text()
            for private in ("._create_", ".worker_threads", ".scheduler", ".storage.close", "initialize_schema"):
                assert private not in text or "ledger.storage" in text, (module.name, private)
