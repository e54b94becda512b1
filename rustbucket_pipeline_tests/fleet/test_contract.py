"""What counts as a contract answer, what as the decoy, what as neither."""

import json

import pytest

from rustbucket_pipeline.errors import FetchFailed
from rustbucket_pipeline.fleet.contract import Vitals, vitals_of
from rustbucket_pipeline.net.fetch import Answer


def _answer(body: object, status: int = 200, content_type: str = "application/json", **headers: str) -> Answer:
    data = body if isinstance(body, bytes) else json.dumps(body).encode()
    return Answer(status, {"content-type": content_type, **headers}, data, 0.01)


def _outcome(answer: Answer) -> str:
    with pytest.raises(FetchFailed) as caught:
        vitals_of(answer)
    return caught.value.outcome


def test_a_flat_answer_in_the_registrys_words_is_read() -> None:
    said = {"cpu_usage": "12%", "memory_usage": "60.5 %", "disk_space": "71", "uptime": "1d 2h", "connections": "5"}
    assert vitals_of(_answer({**said, "version": "1.2"})) == Vitals.model_construct(
        cpu=12.0, memory=60.5, disk=71.0, uptime_seconds=93_600, connections=5, version="1.2"
    )


def test_numbers_are_read_as_well() -> None:
    vitals = vitals_of(_answer({"cpu": 1, "memory": 2.5, "disk": 3, "uptime": 99.9, "connections": 0}))
    assert (vitals.cpu, vitals.memory, vitals.disk, vitals.uptime_seconds, vitals.connections) == (1, 2.5, 3, 99, 0)


def test_of_several_updates_the_last_counts() -> None:
    assert vitals_of(_answer({"updates": [{"cpu": 1}, {"cpu": "2%"}]})).cpu == 2


@pytest.mark.parametrize(
    ("text", "seconds"), [("12h", 43_200), ("3 days, 4 hours", 273_600), ("90", 90), ("1m30s", 90), ("5 min", 300)]
)
def test_durations_are_read_as_people_write_them(text: str, seconds: int) -> None:
    assert vitals_of(_answer({"uptime": text})).uptime_seconds == seconds


def test_a_disks_size_says_nothing_of_how_full_it_is() -> None:
    assert vitals_of(_answer({"disk_space": "100GB"})).disk is None


def test_a_null_says_nothing() -> None:
    nulls = dict.fromkeys(["cpu", "memory", "disk", "uptime", "connections", "version"])
    assert vitals_of(_answer({**nulls, "cpu": 3})) == Vitals.model_construct(cpu=3.0)


def test_whatever_else_an_answer_says_is_dropped() -> None:
    vitals = vitals_of(_answer({"cpu": 1, "name": "evil", "ip_address": "6.6.6.6", "s3_bucket_name": "theirs"}))
    assert set(vitals.model_dump()) == {"cpu", "memory", "disk", "uptime_seconds", "connections", "version"}


@pytest.mark.parametrize(
    "body",
    [
        *({}, {"status": "ok"}, {"version": "1"}, [], [{"cpu": 1}], "text", 5, None),
        *(
            {"cpu": 101},
            {"cpu": -1},
            {"cpu": "lots"},
            {"cpu": True},
            {"cpu": [1]},
            {"cpu": {"a": 1}},
            {"cpu": "1" * 400},
        ),
        *(
            {"connections": -1},
            {"connections": 10**12},
            {"connections": 1.5},
            {"uptime": "tomorrow"},
            {"uptime": "9" * 30},
        ),
        *(
            {"cpu": 1, "version": "v" * 101},
            {"updates": []},
            {"updates": {}},
            {"updates": [1]},
            {"updates": [{"cpu": 1}] * 1001},
        ),
    ],
)
def test_json_of_another_form_is_invalid(body: object) -> None:
    assert _outcome(_answer(body)) == "invalid"


@pytest.mark.parametrize(
    "body", [b"<html>", b"", b"{", b"\xff\xfe", b'{"cpu": NaN}', b'{"cpu": Infinity}', b"{'cpu': 1}"]
)
def test_what_claims_to_be_json_and_isnt_is_the_decoy(body: bytes) -> None:
    assert _outcome(_answer(body)) == "decoy"


def test_json_nested_without_end_is_invalid() -> None:
    assert _outcome(_answer(b"[" * 60_000)) == "invalid"


@pytest.mark.parametrize("number", [b"1e400", b"9" * 5000])
def test_an_absurd_number_is_no_answer(number: bytes) -> None:
    assert _outcome(_answer(b'{"cpu": ' + number + b"}")) in {"invalid", "decoy"}


@pytest.mark.parametrize(
    ("answer", "outcome"),
    [
        (_answer(b"<html>It works!</html>", content_type="text/html"), "decoy"),
        (_answer(b"root@host:~#", content_type="text/plain"), "decoy"),
        (_answer(b"<html>Not Found</html>", 404, "text/html"), "decoy"),
        (_answer(b"", 302, "text/html", location="/login"), "decoy"),
        (_answer(b"", 301, "", location="http://1.2.3.4/wp-admin?x=1"), "decoy"),
        (_answer(b"", 302, "", location="http://169.254.169.254/latest/meta-data/"), "http_error"),
        (_answer({"cpu": 1}, 404), "http_error"),
        (_answer({"detail": "bad token"}, 401), "http_error"),
        (_answer(b"<html>bad gateway</html>", 502, "text/html"), "http_error"),
        (_answer({"cpu": 1}, 503), "http_error"),
        (_answer({"cpu": 1}, 204), "http_error"),
        (_answer({"cpu": 1}, content_type="application/octet-stream"), "invalid"),
        (_answer({"cpu": 1}, content_type=""), "invalid"),
    ],
)
def test_status_and_content_type_must_fit(answer: Answer, outcome: str) -> None:
    assert _outcome(answer) == outcome


def test_reasons_show_nothing_that_acts() -> None:
    with pytest.raises(FetchFailed) as caught:
        vitals_of(_answer({"cpu": 1}, content_type="application/\x1b[2J"))
    assert "\x1b" not in str(caught.value)
