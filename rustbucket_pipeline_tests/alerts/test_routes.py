"""Which targets there are, and what each gets: the words before a URL; no secret in a name, a message, a repr."""

import pytest

from rustbucket_pipeline.alerts.kinds import Kind, Severity
from rustbucket_pipeline.alerts.routes import Target, targets_of
from rustbucket_pipeline.errors import ConfigurationError
from rustbucket_pipeline.settings import Settings

SLACK = "slack://tokenA/tokenB/tokenC/#ops"
MAIL = "mailto://user:hunter2@example.org"


def targets(urls: str, dsn: str = "") -> list[Target]:
    return targets_of(Settings(RUSTBUCKET_NOTIFY_URLS=urls, SENTRY_DSN=dsn))


def test_without_settings_there_are_none() -> None:
    assert targets("") == []


def test_a_url_alone_gets_warnings_and_worse_of_every_kind() -> None:
    (target,) = targets(SLACK)
    assert (target.road, target.address.get_secret_value()) == ("apprise", SLACK)
    assert target.severities == {Severity.WARNING, Severity.ERROR, Severity.CRITICAL}
    assert target.kinds == set(Kind)
    assert not target.digest_only


def test_words_before_a_url_are_for_that_one() -> None:
    slack, mail, last = targets(f"critical {SLACK}  info,poll_failed,zombie_run {MAIL}\n digest ntfy://x")
    assert slack.severities == {Severity.CRITICAL}
    assert (mail.severities, mail.kinds) == (set(Severity), {Kind.POLL_FAILED, Kind.ZOMBIE_RUN})
    assert (last.digest_only, last.kinds) == (True, set(Kind))


def test_kinds_without_a_severity_are_of_any() -> None:
    (target,) = targets(f"self_traffic_seen {SLACK}")
    assert target.severities == set(Severity)


def test_an_address_is_a_target_once_and_sentry_is_one_too() -> None:
    assert [target.road for target in targets(f"{SLACK} {SLACK}", "https://key@sentry.example/1")] == [
        "sentry",
        "apprise",
    ]


def test_nothing_of_an_address_shows() -> None:
    for target in targets(f"{SLACK} {MAIL}", "https://hunter2key@sentry.example/1"):
        shown = f"{target!r} {target.name} {target.key}"
        assert not any(secret in shown for secret in ("tokenA", "hunter2", "sentry.example", "example.org"))


@pytest.mark.parametrize(
    "urls", [f"eror {SLACK}", f"error,critical {SLACK}", "error", "slack:/hunter2", f"{SLACK} info"]
)
def test_a_word_that_is_none_is_a_mistake_that_doesn_t_show_the_secret(urls: str) -> None:
    with pytest.raises(ConfigurationError, match="RUSTBUCKET_NOTIFY_URLS") as error:
        targets(urls)
    assert "token" not in str(error.value)
    assert "hunter2" not in str(error.value)
