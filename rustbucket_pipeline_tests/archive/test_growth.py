"""How much was archived since a moment."""

from datetime import timedelta

from rustbucket_pipeline.archive.growth import Growth, growth_since
from rustbucket_pipeline_tests.archive.fleet_on_disk import NINE, FleetOnDisk, hour_of_lines

HOUR = timedelta(hours=1)


def test_growth_is_what_later_pulls_have_brought(fleet: FleetOnDisk) -> None:
    first, second = hour_of_lines(NINE), hour_of_lines(NINE + HOUR)
    fleet.write("rustbucket.log.2026-03-02-09", first)
    fleet.pull()
    begun = fleet.now
    fleet.now += HOUR
    fleet.write("rustbucket.log.2026-03-02-10", second)
    fleet.pull()
    with fleet.engine.connect() as connection:
        assert growth_since(connection, None) == Growth(4, len(first) + len(second))
        assert growth_since(connection, begun + HOUR) == Growth(2, len(second))
        assert growth_since(connection, fleet.now + HOUR) == Growth(0, 0)
