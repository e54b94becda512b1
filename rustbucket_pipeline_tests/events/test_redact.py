"""Our secrets stand in no row and no excerpt, however the honeypot wrote them; what attackers brought stays."""

import time

import pytest

from rustbucket_pipeline.events.redact import may_hold_secret, may_register, redacted, redacted_excerpt
from rustbucket_pipeline_tests.events.reading import fields_of, parsed, rows

SECRET = "s3cr3tS3CR3Ttoken123"
OURS = (
    f"GET /extract_logs HTTP/1.1\r\nAuthorization: Token {SECRET}\r\n\r\n",
    f"authorization:token {SECRET}",
    f"Authorization:\r\n Token {SECRET}",
    f"AUTHORIZATION:          Token       {SECRET}",
    f'Authorization: Token token="{SECRET}"',
    f'content: "GET /x HTTP/1.1\\r\\nAuthorization: Token {SECRET}\\r\\n"',
    f'headers: {{\\"authorization\\": \\"Token {SECRET}\\"}}',
    f"Generated instance token: {SECRET}",
    f'Registration payload: RegistrationPayload {{ token: Some("{SECRET}"), api_key: Some("{SECRET}") }}',
    f'Registration payload: {{"name":"a","token":"{SECRET}"}}',
    f'Successfully registered instance \'x\'. Server response: {{"token":"{SECRET}"}}',
    f'Failed to parse registration response: missing field at line 1: {{"token": "{SECRET}"}}',
    f"X-API-Key: {SECRET}",
    f'"x-api-key": "{SECRET}"',
    f"registration_key={SECRET}",
    f"POST /register/?api_key={SECRET}",
    f"Incorrect API key provided: sk-ant-{SECRET}. You can find",
)
THEIRS = (
    f"GET / HTTP/1.1\r\nAuthorization: Basic {SECRET}",
    f"curl http://x/?token={SECRET}",
    f"export AWS_SECRET_ACCESS_KEY={SECRET}",
    f"PASS {SECRET}",
)


@pytest.mark.parametrize("text", OURS)
def test_a_secret_of_ours_is_taken_out_and_counted(text):
    assert may_hold_secret(text.encode())
    clear, found = redacted(text, registers=may_register(text, None))
    assert SECRET not in clear
    assert "[redacted]" in clear
    assert found == text.count(SECRET)


@pytest.mark.parametrize("text", THEIRS)
def test_what_attackers_brought_is_evidence(text):
    assert redacted(text) == (text, 0)


@pytest.mark.parametrize("text", OURS)
def test_no_dialect_s_row_shows_it(text, json_line):
    head = "2026-03-02T00:00:01.000000Z  INFO rustbucket"
    line = text.replace("\r\n", " ").replace("\n", " ")
    for record in (
        json_line(text, target="rustbucket::registration", request=text, extra={"a": [text]}),
        f"{head}::registration: {line}\n".encode(),
        f'{head}::protocols::http: Request received event_type="command" protocol="HTTP" request={text}\n'.encode(),
        f"{head}::protocols::http: HTTP request received:\n{text}\n".encode(),
        f"{head}::handler: Received data: {text}\n".encode(),
        f'{{"eventid":"cowrie.command.input","input":"{line.translate({34: None, 92: None})}"}}\n'.encode(),
    ):
        found, tally = parsed(record)
        assert SECRET not in "".join(map(str, found))
        assert tally.redacted > 0


def test_a_field_that_is_a_secret_is_taken_out_whole_however_deep(json_line):
    (row,) = rows(json_line("odd", token=SECRET, a={"api_key": SECRET}, authorization=f"x {SECRET}"))
    assert SECRET not in str(row)
    assert fields_of(row)["_redacted"] == 3


def test_an_excerpt_that_begins_in_the_middle_shows_none():
    for torn in (f'  token: "{SECRET}", os: "linux" }}\n', *OURS):
        clear, found = redacted_excerpt(torn.encode())
        assert SECRET.encode() not in clear
        assert found


def test_hostile_text_takes_linear_time():
    for text in (
        "token" * 40_000,
        "authorization:" * 20_000,
        "token" + " " * 200_000,
        "api_key=" * 20_000,
        "\\" * 200_000,
    ):
        begun = time.process_time()
        redacted(text, registers=True)
        redacted_excerpt(text.encode())
        assert time.process_time() - begun < 1.0
