"""What FTP and SMTP clients typed comes back in their own letters, where that is certain; never by guessing."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rustbucket_pipeline.events.casing import Casing
from rustbucket_pipeline_tests.events.reading import fields_of, rows

FTP, SMTP = "rustbucket::protocols::ftp", "rustbucket::protocols::smtp"


@pytest.fixture
def said(json_line):
    """A command as the log has it."""

    def write(text, at="00:00:01.000000", protocol="FTP"):
        return json_line("Command received", at, event_type="command", protocol=protocol, command=text)

    return write


@pytest.fixture
def name(json_line):
    def write(username, at="00:00:01.000100"):
        return json_line("Username provided", at, FTP, event_type="auth", protocol="FTP", username=username)

    return write


@pytest.fixture
def login(json_line):
    def write(username, password, at="00:00:02.000100"):
        fields = {"event_type": "auth", "protocol": "FTP", "username": username, "password": password}
        return json_line("Authentication attempt", at, FTP, **fields)

    return write


def test_a_name_and_a_password_are_as_they_were_typed_and_the_log_s_spelling_stays(said, name, login):
    data = said("USER Admin") + name("ADMIN") + said("PASS two  Words", "00:00:02.000000")
    _, first, _, attempt = rows(data + login('Some("ADMIN")', "TWO WORDS"))
    assert (first.username, fields_of(first)["username"]) == ("Admin", "ADMIN")
    assert (attempt.username, attempt.password) == ("Admin", "two  Words")
    assert fields_of(attempt) == {"username": 'Some("ADMIN")', "password": "TWO WORDS"}


def test_what_was_typed_in_capitals_is_said_once(said, name):
    row = rows(said("USER ADMIN") + name("ADMIN"))[-1]
    assert (row.username, row.fields) == ("ADMIN", None)


def test_of_two_spellings_none_is_chosen(said, name):
    row = rows(said("USER Admin") + said("USER admin", "00:00:01.000050") + name("ADMIN"))[-1]
    assert (row.username, row.fields) == ("ADMIN", None)


@pytest.mark.parametrize(
    ("text", "at"),
    [("USER Other", "00:00:01.000000"), ("PASS Admin", "00:00:01.000000"), ("USER Admin", "00:00:05.000000")],
)
def test_another_command_another_verb_or_another_time_says_nothing(said, name, text, at):
    row = rows(said(text) + name("ADMIN", at.replace("01.000000", "01.000100").replace("05", "09")))[-1]
    assert row.username == "ADMIN"


def test_what_another_protocol_s_client_typed_says_nothing(said, json_line):
    ssh = json_line("Command received", target="rustbucket::protocols::ssh_shell", protocol="SSH", command="USER Admin")
    told = json_line("Username provided", "00:00:01.1", FTP, event_type="auth", protocol="FTP", username="ADMIN")
    assert rows(ssh + told)[-1].username == "ADMIN"


def test_mail_addresses_come_back_in_their_readable_form(said, json_line):
    mail = {"event_type": "command", "protocol": "SMTP", "email_data": "hi"}
    data = (
        said("MAIL FROM:<a@Example.com>", protocol="SMTP")
        + said("RCPT TO: <Bob@b.example>", protocol="SMTP")
        + json_line("Mail recipient specified", "00:00:01.1", SMTP, protocol="SMTP", rcpt_to="<BOB@B.EXAMPLE>")
        + json_line(
            *("Email data received", "00:00:09.000000", SMTP),
            **mail,
            mail_from='Some("<A@EXAMPLE.COM>")',
            rcpt_to='["<BOB@B.EXAMPLE>", "<EVE@E.EXAMPLE>"]',
        )
    )
    *_, recipient, body = rows(data)
    assert fields_of(recipient)["_plain"] == {"rcpt_to": "<Bob@b.example>"}
    assert fields_of(recipient)["rcpt_to"] == "<BOB@B.EXAMPLE>"
    assert fields_of(body)["_plain"] == {
        "mail_from": "<a@Example.com>",
        "rcpt_to": ["<Bob@b.example>", "<EVE@E.EXAMPLE>"],
    }


def test_sentences_are_recovered_too():
    head = "2026-03-02T00:00:01.000000Z  INFO rustbucket::protocols"
    data = (
        f"{head}: FTP command received: USER Bob\n{head}::ftp: FTP USER: BOB\n"
        f"{head}: FTP command received: PASS sEsAmE\n"
        f'{head}::ftp: FTP PASS: SESAME (username: Some("BOB"))\n'
    )
    found = rows(data.encode())
    assert (found[1].username, found[3].username, found[3].password) == ("Bob", "Bob", "sEsAmE")


def test_a_log_remembers_nothing_of_another(said, name):
    assert rows(name("ADMIN"))[-1].username == "ADMIN"
    assert rows(said("USER Admin") + name("ADMIN"))[-1].username == "Admin"
    assert rows(name("ADMIN"))[-1].username == "ADMIN"


@given(st.lists(st.tuples(st.sampled_from(["Ann", "ann", "ANN", "bob"]), st.integers(0, 4_000_000)), max_size=150))
def test_only_the_last_64_names_are_remembered_and_only_what_is_recent_counts(typed):
    casing = Casing()
    for name, at in typed:
        casing.typed(f"USER {name}", at)
    recent = {name for name, at in typed[-64:] if name.upper() == "ANN" and at >= 2_000_000}
    told = casing.typed_as("username", "ANN", 4_000_000, again=False)
    assert told == (recent.pop() if len(recent) == 1 else None)
