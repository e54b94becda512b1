"""Cases 29 to 40: bytes that would have the parser believe, run away, break off or store what it can't."""

import importlib
import json
import pkgutil
import re
import time
from datetime import timedelta

import pytest
from sqlalchemy import RowMapping, select, text

from rustbucket_pipeline import events, framing
from rustbucket_pipeline.events.build import HourOutcome, build_hour
from rustbucket_pipeline.events.parse import EXCERPT_BYTES, QuarantineRow
from rustbucket_pipeline.events.promises import bytes_accounted, little_quarantined, messages_known
from rustbucket_pipeline.events.row import EventRow
from rustbucket_pipeline.framing.split import MAX_RECORD_BYTES
from rustbucket_pipeline.model.window import HOUR, Window
from rustbucket_pipeline.storage.alert_tables import alerts
from rustbucket_pipeline.storage.tables import log_events, quarantine, segments
from rustbucket_pipeline_tests.events.reading import parsed
from rustbucket_pipeline_tests.hostile.collector import BY_FILE, BY_HTTP, NINE, NOW, STAMP, Collector, line

BUILT = NOW + timedelta(hours=9)
SSH = "rustbucket::protocols::ssh"


class Hour:
    """The hour in which a hostile log stands beside those of the healthy."""

    def __init__(self, collector: Collector, log: bytes) -> None:
        """Pull it and build the hour; the healthy ones' rows must be what they always are."""
        (collector.sources / "hostile").mkdir()
        self.collector = collector
        self.hostile = collector.register("hostile", http=False, logs_url=(collector.sources / "hostile").as_uri())
        collector.write("hostile/folder", log)
        collector.run()
        self.outcome = self.build()
        with collector.engine.connect() as connection:
            assert bytes_accounted(connection, NINE).kept
            healthy = select(log_events.c.rustbucket_id).where(log_events.c.rustbucket_id.in_((BY_FILE, BY_HTTP)))
            assert len(connection.execute(healthy).all()) == 2 * 59

    def build(self) -> HourOutcome:
        """Build it once more."""
        return build_hour(self.collector.engine, self.collector.archive, Window(NINE, HOUR), BUILT, "run")

    def rows(self) -> list[RowMapping]:
        """The hostile one's rows."""
        query = select(log_events).where(log_events.c.rustbucket_id == self.hostile)
        with self.collector.engine.connect() as connection:
            return list(connection.execute(query.order_by(log_events.c.byte_offset)).mappings())

    def entries(self) -> list[RowMapping]:
        """Its entries of quarantine."""
        query = select(quarantine).join(segments).where(segments.c.rustbucket_id == self.hostile)
        with self.collector.engine.connect() as connection:
            return list(connection.execute(query.order_by(quarantine.c.byte_offset)).mappings())

    def alerts(self) -> dict[tuple[str, str], str]:
        """The open alerts' causes, by kind and subject."""
        query = select(alerts).where(alerts.c.closed_at.is_(None))
        with self.collector.engine.connect() as connection:
            return {(row.kind, row.subject): row.cause for row in connection.execute(query)}


def stamp(seconds: float) -> str:
    return f"{NINE + timedelta(seconds=seconds):{STAMP}}"


def text_line(seconds: float, body: str, target: str = SSH) -> str:
    return f"{stamp(seconds)}  INFO {target}: {body}\n"


def json_line(seconds: float, fields: str, target: str = SSH) -> bytes:
    return f'{{"timestamp":"{stamp(seconds)}","level":"INFO","fields":{{{fields}}},"target":"{target}"}}\n'.encode()


def opened(seconds: float, ip: str) -> str:
    return text_line(seconds, f'Channel opened event_type="connection" protocol="SSH" client_ip={ip}')


def exec_request(seconds: float, command: str) -> str:
    body = f'Exec request event_type="command" protocol="SSH" client_ip=192.0.2.1:5 command={command}'
    return text_line(seconds, body)


def test_case_29_a_forged_line_is_an_attack_and_never_gives_its_source(collector: Collector) -> None:
    forged = opened(3, "8.8.8.8:22")
    hour = Hour(collector, (exec_request(5, f"x\n{forged}".rstrip("\n")) + opened(6, "192.0.2.1:5")).encode())
    true, lie, after = hour.rows()
    assert (true["command"], true["src_ip"], after["src_ip"]) == (f"x\n{forged}".rstrip("\n"), "192.0.2.1", "192.0.2.1")
    assert (lie["event_type"], lie["src_ip"], lie["counted"], lie["trust"] < 0.5) == ("forgery", None, False, True)
    assert lie["fields"]["client_ip"] == "8.8.8.8:22"
    assert "1 records" in hour.alerts()["forged_records", hour.hostile]


def test_case_30_pairs_in_a_value_stay_in_it(collector: Collector) -> None:
    injected = 'ls source_ip="8.8.8.8" client_ip=8.8.8.8:1 event_type="auth_success"'
    (row,) = Hour(collector, exec_request(5, injected).encode()).rows()
    assert (row["command"], row["src_ip"], row["src_port"]) == (injected, "192.0.2.1", 5)
    assert (row["event_type"], row["fields"]) == ("command", None)


def test_case_31_of_two_addresses_the_first_counts_and_the_line_is_flagged(collector: Collector) -> None:
    fields = (
        '"message":"New SSH connection","client_ip":"192.0.2.1:5","client_ip":"8.8.8.8:1","event_type":"connection"'
    )
    cowrie = (
        f'{{"eventid":"cowrie.session.connect","src_ip":"192.0.2.1","src_ip":"8.8.8.8","timestamp":"{stamp(7)}"}}\n'
    )
    for row in Hour(collector, json_line(5, fields) + cowrie.encode()).rows():
        assert row["src_ip"] == "192.0.2.1"
        assert row["fields"]["_flags"] == ["repeated key"]


@pytest.mark.long
def test_case_32_a_line_of_100_mb_is_one_range_and_the_next_is_parsed() -> None:
    before, after = b"2026-03-02T00:00:01.000000Z", b"2026-03-02T00:00:09.000000Z"
    log = line(before.decode()) + b"x" * 100_000_000 + b"\n" + line(after.decode())
    found, tally = parsed(log)
    entries = [row for row in found if isinstance(row, QuarantineRow)]
    assert [row.event_ts % 60_000_000 for row in found if isinstance(row, EventRow)] == [1_000_000, 9_000_000]
    assert tally.quarantined_bytes == 100_000_001
    assert len(entries) == -(-100_000_001 // MAX_RECORD_BYTES)
    assert len(b"".join(entry.excerpt for entry in entries)) <= len(entries) * EXCERPT_BYTES


def test_case_33_what_no_column_holds_is_stored_so_that_it_can_be_read_back(collector: Collector) -> None:
    hour = Hour(
        collector,
        b"\xff\xfe"
        + json_line(1, '"message":"Exec request","command":"nul\\u0000 half\\ud800"')
        + text_line(2, "Received data: ", "rustbucket::handler").encode()[:-1]
        + b"\x00\x80\xff\xc0\xaf\xed\xa0\x80\n",
    )
    first, second = hour.rows()
    assert first["command"] == "nul\\x00 half\\ud800"
    assert second["command"] == "\\x00\\x80\\xff\\xc0\\xaf\\xed\\xa0\\x80"
    assert first["fields"]["_escaped"] == second["fields"]["_escaped"][:1] == ["command"]
    (entry,) = hour.entries()
    assert (entry["excerpt"], entry["reason"]) == (b"\xff\xfe", "UTF-16, where UTF-8 belongs")


def test_case_34_what_json_cannot_mean_is_quarantined_with_a_reason(collector: Collector) -> None:
    values = ("[" * 100_000, "1e400", "NaN", "9" * 5000, "[" * 40 + "]" * 40)
    lines = [json_line(n, f'"message":"m","a":{value}') for n, value in enumerate(values)]
    hour = Hour(collector, b"".join(lines) + line(stamp(9)))
    assert [entry["byte_length"] for entry in hour.entries()] == [len(one) for one in lines]
    assert [entry["reason"] for entry in hour.entries()] == [
        "JSON that is cut, glued or damaged",
        "JSON with a number out of range",
        "JSON with NaN for a number",
        "JSON with a number out of range",
        "JSON nested too deeply",
    ]
    assert len(hour.rows()) == 1


def test_case_35_what_moves_a_terminal_is_stored_as_text_and_never_printed_raw(collector: Collector) -> None:
    nasty = "\x1b[2J\x1b]52;c;cm0=\x07\x1b]8;;http://x\x1b\\ \u202e\u2066\x9b2J"
    told = json.dumps(nasty)[1:-1]
    hour = Hour(collector, json_line(1, f'"message":"{told}","event_type":"command","command":"{told}"'))
    (row,) = hour.rows()
    assert (row["command"], row["message"]) == (nasty, nasty)
    with collector.engine.connect() as connection:
        drift = messages_known(connection, NINE)
    printed = drift.why + "".join(hour.alerts().values())
    assert not set(printed) & set("\x1b\x07\x9b\u202e\u2066")
    assert "·[*J" in printed


@pytest.mark.long
def test_case_36_a_million_bad_lines_are_one_warning_and_stop_nobody(collector: Collector) -> None:
    hour = Hour(collector, b"{bad\n" * 1_000_000)
    assert len(hour.entries()) == 1001
    assert sum(entry["byte_length"] for entry in hour.entries()) == 5_000_000
    hour.build()
    with collector.engine.connect() as connection:
        rates = little_quarantined(connection, NINE)
        raised = connection.execute(select(alerts).where(alerts.c.kind == "parse_error_rate")).all()
    assert (rates.kept, rates.numbers["garbled_hours"]) == (False, 1)
    assert [(row.subject, row.closed_at) for row in raised] == [(hour.hostile, None)]


RUNS = (
    "a" * 50_000 + "!",
    '"' * 50_000,
    "\\" * 50_001,
    "1:" * 25_000,
    "{" * 50_000,
    "token=" * 9_000,
    'Some("' * 9_000,
)


def _patterns() -> dict[str, re.Pattern[str] | re.Pattern[bytes]]:
    """Every compiled expression of the rooms that read attackers' bytes."""
    found: dict[str, re.Pattern[str] | re.Pattern[bytes]] = {}
    for room in (events, framing):
        for module in pkgutil.walk_packages(room.__path__, f"{room.__name__}."):
            names = vars(importlib.import_module(module.name))
            found |= {f"{module.name}.{name}": one for name, one in names.items() if isinstance(one, re.Pattern)}
    return found


@pytest.mark.parametrize("run", RUNS, ids=[run[:5] for run in RUNS])
def test_case_37_no_expression_runs_away(run: str) -> None:
    patterns = _patterns()
    assert len(patterns) > 20
    for name, pattern in patterns.items():
        begun = time.process_time()
        pattern.match(run if isinstance(pattern.pattern, str) else run.encode())  # type: ignore[arg-type]
        assert time.process_time() - begun < 0.05, name


@pytest.mark.parametrize("run", RUNS, ids=[run[:5] for run in RUNS])
def test_case_37_no_record_takes_longer_than_its_length(run: str) -> None:
    """As the expressions are used, in every dialect; a line of so many bytes takes some milliseconds."""
    told = json.dumps(run)[1:-1]
    line_of_each = (
        json_line(1, f'"message":"Exec request","event_type":"command","command":"{told}"'),
        json_line(1, f'"message":"{told}","event_type":"x"'),
        json_line(1, f'"message":"{run}"'),
        f'{{"eventid":"cowrie.command.input","input":"{told}","timestamp":"{stamp(1)}"}}\n'.encode(),
        exec_request(1, run).encode(),
        text_line(1, f'Authentication attempt event_type="auth" client_ip={run} username={run}').encode(),
        text_line(1, f"FTP PASS: {run} (username: Some({run}", "rustbucket::protocols::ftp").encode(),
        text_line(1, f"Received data: {run}", "rustbucket::handler").encode(),
        text_line(1, run, run).encode(),
        run.encode() + b"\n",
    )
    for one in line_of_each:
        begun = time.process_time()
        parsed(one)
        assert time.process_time() - begun < 0.25, one[:80]


def test_case_38_what_nobody_knows_is_kept_whole_and_counted(collector: Collector) -> None:
    fields = '"message":"Tunnel 7 opened to 192.0.2.9","event_type":"quantum","extra":{"a":[1,null]}'
    hour = Hour(collector, json_line(1, fields) + json_line(2, fields.replace("7", "8")))
    first, _ = hour.rows()
    assert (first["event_type"], first["counted"]) == ("unknown", False)
    assert first["fields"] == {"event_type": "quantum", "extra": {"a": [1, None]}}
    with hour.collector.engine.connect() as connection:
        rows = connection.execute(text("SELECT * FROM message_drift WHERE target = :target"), {"target": SSH}).all()
        drift = messages_known(connection, NINE)
    assert [(row.template, row.records) for row in rows] == [("Tunnel * opened to *", 2)]
    assert not drift.kept
    assert "Tunnel * opened to * (2)" in drift.why
    assert "Tunnel * opened to *" in hour.alerts()["new_event_template", SSH]


def test_case_39_sql_in_every_field_is_stored_as_it_was_typed(collector: Collector) -> None:
    bobby = "'; DROP TABLE log_events; --"
    names = ("username", "password", "command", "method", "path", "other")
    fields = ",".join(f'"{name}":"{bobby}"' for name in names)
    hour = Hour(collector, json_line(1, f'"message":"{bobby}",{fields}', target=bobby))
    (row,) = hour.rows()
    columns = ("target", "message", "username", "password", "command", "http_method", "http_path")
    assert {row[column] for column in columns} == {bobby}
    assert row["fields"] == {"other": bobby}


def test_case_40_a_field_of_10_mb_is_cut_with_length_and_hash(collector: Collector) -> None:
    hour = Hour(collector, json_line(1, f'"message":"m","command":"{"a" * 7_000_000}","other":"{"b" * 300_000}"'))
    (row,) = hour.rows()
    assert row["fields"]["_cut"]["command"][0] == 7_000_000
    assert len(row["fields"]["_cut"]["command"][1]) == 64
    assert sum(len(str(value)) for value in row.values()) < 32 * 1024
