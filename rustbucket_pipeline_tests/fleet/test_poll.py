"""A fault of our own while asking one rustbucket costs no other its observation, and isn't hidden."""

import pytest

from rustbucket_pipeline.fleet.poll import Poller
from rustbucket_pipeline.model.outcome import Outcome
from rustbucket_pipeline.net.guard import Guard
from rustbucket_pipeline.settings import Settings
from rustbucket_pipeline_tests.fleet.conftest import Register
from rustbucket_pipeline_tests.net.loopback import VITALS, answer, loopback


def test_everyone_is_asked_although_one_question_fails(fleet_settings: Settings, register: Register) -> None:
    def token_of(rustbucket_id: str) -> str | None:
        return str(1 // (int(rustbucket_id[3:]) - 100_002)) * 8

    with loopback(answer(VITALS)) as server:
        fleet = [register(name, http=True, base_url=f"{server.url}/{name}") for name in ("one", "two", "three")]
        observations, errors = Poller(Guard.of(fleet_settings), 5, token_of).ask_all(fleet)
    assert [one.outcome for one in observations] == [Outcome.OK, Outcome.UNREACHABLE, Outcome.OK]
    assert "ZeroDivisionError" in (observations[1].detail or "")
    with pytest.raises(ZeroDivisionError):
        raise errors[0]
