"""ReadStats add up."""

import numpy as np

from wort_cli.pipeline.sketching.read_stats import STATS, ReadStats


def test_sum_has_all_reads_and_the_longest_read() -> None:
    assert ReadStats(1, 2, 300, 151, 5) + ReadStats(3, 4, 500, 149, 6) == ReadStats(4, 6, 800, 151, 11)
    assert sum([ReadStats(1, 1, 5, 5), ReadStats(1, 2, 9, 6)], ReadStats()) == ReadStats(2, 3, 14, 6)


def test_stats_are_read_from_a_numpy_record() -> None:
    record = np.array([(7, 1, 2, 300, 151, 4)], np.dtype([("other", np.int64), *STATS]))
    assert ReadStats.from_record(record) == ReadStats(1, 2, 300, 151, 4)
