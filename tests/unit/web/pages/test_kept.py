"""A value that many requests share is read once in a while."""

from wort_cli.web.pages.kept import Kept


def test_value_is_read_again_when_it_is_old() -> None:
    now, reads = [0.0], []
    kept: Kept[int] = Kept(10, clock=lambda: now[0])

    def read() -> int:
        reads.append(now[0])
        return len(reads)

    assert [kept.get(read), kept.get(read)] == [1, 1]
    now[0] = 10.0
    assert kept.get(read) == 1
    now[0] = 10.1
    assert [kept.get(read), kept.get(read)] == [2, 2]
    assert reads == [0.0, 10.1]
