"""A part of the campaign of damages (`make damages`), with other cases each time the archives are made again."""

from tests.damages.campaign import run_campaign
from tests.damages.subjects import subjects_of_shelf
from tests.support.shelf import Shelf

LAYOUTS = ("paired_illumina", "odd_spots", "aligned")


def test_no_damage_gives_wrong_bytes_or_is_left_uncured(shelf: Shelf) -> None:
    results = run_campaign(subjects_of_shelf(shelf, LAYOUTS), "suite", wire_cases=200, disk_cases=300)
    assert results.defects == []
    ends = {(where, end) for where, end, _ in results.ends}
    assert ends >= {("wire", "right"), ("wire", "reason"), ("disk", "right"), ("disk", "reason")}
    assert sum(results.ends.values()) == 500
