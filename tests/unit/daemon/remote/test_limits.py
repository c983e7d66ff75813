"""The limits of what the queue carries fit together: a signature, the document that has it, and the value."""

import base64
import random
from dataclasses import asdict, replace
from pathlib import Path

import pytest

from tests.support.signatures import make_signatures
from wort_cli.daemon.remote.message_seal import MARK, NOT_AUTHENTIC, MessageSeal
from wort_cli.daemon.remote.storages import MOST_VALUE
from wort_cli.daemon.remote.wire import MAX_DOCUMENT, MAX_LOG, Answer, Order
from wort_cli.model.accession import Accession
from wort_cli.model.failure import JobFailed, Reason
from wort_cli.model.job_result import JobResult, Published
from wort_cli.pipeline.portable_spec import MAX_CONTENT, PortableSpec, PortableSubject, read_small
from wort_cli.stores.local import LocalStore

CONTENT = random.Random(1).randbytes(MAX_CONTENT)
SEAL = MessageSeal("0123456789abcdef")


def test_largest_signature_is_sent_and_a_larger_one_has_a_reason(tmp_path: Path) -> None:
    path = tmp_path / "x.sig"
    path.write_bytes(CONTENT)
    assert read_small(path) == CONTENT
    path.write_bytes(CONTENT + b"x")
    with pytest.raises(JobFailed, match="8,000,001 bytes, and the queue carries signatures of at most") as error:
        read_small(path)
    assert error.value.failure.reason is Reason.QUEUE_LIMIT


def test_answer_with_the_largest_signature_fits(tmp_path: Path) -> None:
    make_signatures(tmp_path, 1)
    made = LocalStore(tmp_path).provenance(Accession("SRR1000000"))
    result = JobResult(1, 1, Published("", MAX_CONTENT, made, sha256="0" * 64))
    answer = Answer("h" * 64, result, content=base64.b64encode(CONTENT).decode(), log="\x1b" * MAX_LOG)
    data = answer.pack()
    assert Answer.unpack(data) == answer
    assert len(data) < MAX_DOCUMENT and len(SEAL.sealed("answer:x", data)) < MOST_VALUE
    with pytest.raises(ValueError, match="the signature is not a text of at most"):
        Answer.unpack(replace(answer, content=base64.b64encode(CONTENT + b"xyz").decode()).pack())


def test_order_to_verify_the_largest_signature_fits() -> None:
    subject = PortableSubject(base64.b64encode(CONTENT).decode(), "0" * 64, "0" * 64, "full", in_store=True)
    flags = (False, True, False, False)
    spec = PortableSpec(1, 1, "SRR1000000", "sra-v1", "", 0, "normalized", "columns", *flags, subject=asdict(subject))
    data = Order("home", spec).pack()
    assert Order.unpack(data).spec.subject_content()[1] == CONTENT
    assert len(data) < MAX_DOCUMENT and len(SEAL.sealed("order", data)) < MOST_VALUE


def test_seal_is_of_a_place_and_a_key() -> None:
    sealed = SEAL.sealed("answer:1", b"{}")
    assert SEAL.opened("answer:1", sealed) == b"{}"
    for place, message in (
        ("answer:2", sealed),
        ("answer:1", sealed + b" "),
        ("answer:1", b"{}"),
        ("answer:1", b""),
        ("answer:1", MARK),
        ("answer:1", sealed.replace(MARK, b"wort-hmac-2\n")),
        ("answer:1", MessageSeal("another key, also long").sealed("answer:1", b"{}")),
    ):
        assert SEAL.opened(place, message) == NOT_AUTHENTIC
    assert MessageSeal().opened("answer:1", sealed) == NOT_AUTHENTIC
    assert MessageSeal().opened("answer:1", MessageSeal().sealed("answer:1", b"{}")) == b"{}"
