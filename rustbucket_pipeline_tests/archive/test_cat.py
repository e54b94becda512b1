"""Reading back: the sources' bytes exactly, each verified, in the order in which they were written."""

from datetime import timedelta

import pytest
from sqlalchemy import select

from rustbucket_pipeline.archive.cat import source_bytes
from rustbucket_pipeline.errors import IntegrityError, NoSuchRustbucket
from rustbucket_pipeline.model.window import HALF_HOUR
from rustbucket_pipeline.storage.tables import segments
from rustbucket_pipeline_tests.archive.fleet_on_disk import BKT, NINE, FleetOnDisk, hour_of_lines

HOUR = timedelta(hours=1)
ODD = b'\x1b[2J\xff\xfe secret=hunter2\r\n\n{"timestamp":"nonsense"}\n'


def cat(fleet: FleetOnDisk, hours: float = 24, rustbucket_id: str = BKT) -> bytes:
    with fleet.engine.connect() as connection:
        return b"".join(source_bytes(connection, fleet.archive, rustbucket_id, NINE, NINE + timedelta(hours=hours)))


def test_a_source_s_bytes_come_back_exactly_whatever_is_in_them(fleet: FleetOnDisk) -> None:
    nine, ten = hour_of_lines(NINE) + ODD, hour_of_lines(NINE + HOUR)
    fleet.write("abc/rustbucket.log.2026-03-02-10", ten)
    fleet.write("xyz/rustbucket.log.2026-03-02-09", nine)
    fleet.pull(later=HOUR)
    assert cat(fleet) == nine + ten
    assert cat(fleet, 1) == nine


def test_a_time_is_cut_where_its_records_are(fleet: FleetOnDisk) -> None:
    data = hour_of_lines(NINE)
    fleet.write("abc/rustbucket.log.2026-03-02-09", data)
    fleet.pull()
    first = cat(fleet, 0.5)
    assert data.startswith(first)
    assert first.count(b"\n") == 30


def test_others_bytes_are_left_out_and_nothing_is_nothing(fleet: FleetOnDisk) -> None:
    fleet.register("BKT100002")
    fleet.write("abc/rustbucket.log.2026-03-02-09", hour_of_lines(NINE))
    fleet.pull()
    assert cat(fleet, rustbucket_id="BKT100002") == b""
    with pytest.raises(NoSuchRustbucket):
        cat(fleet, rustbucket_id="BKT7")


def test_an_object_that_isn_t_right_ends_it_and_what_came_before_is_right(fleet: FleetOnDisk) -> None:
    data = hour_of_lines(NINE)
    fleet.write("abc/rustbucket.log.2026-03-02-09", data)
    fleet.pull()
    with fleet.engine.connect() as connection:
        second = select(segments.c.object_key).where(segments.c.window_start == NINE + HALF_HOUR)
        fleet.archive.delete(connection.execute(second).scalar_one())
        got = source_bytes(connection, fleet.archive, BKT, NINE, NINE + HOUR)
        assert data.startswith(next(got))
        with pytest.raises(IntegrityError, match="missing"):
            next(got)
