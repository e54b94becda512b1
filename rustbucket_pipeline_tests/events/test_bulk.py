"""Plain lines read by the block give the rows that the exact way gives, whatever stands between them."""

import json
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from itertools import starmap

import pytest
import zstandard
from hypothesis import given, settings
from hypothesis import strategies as st

from rustbucket_pipeline.demo.cast import cast_fleet
from rustbucket_pipeline.demo.lines import hour_lines
from rustbucket_pipeline.events.bulk import BulkParser
from rustbucket_pipeline.events.columns import batch_of
from rustbucket_pipeline.events.dialects.structured import TEMPLATES
from rustbucket_pipeline.events.encode import Written
from rustbucket_pipeline.events.identity import Identities
from rustbucket_pipeline.events.normalise import UNTIDY_FROM
from rustbucket_pipeline.events.parse import Parser, QuarantineRow, Tally
from rustbucket_pipeline.events.pieces import PlainLines
from rustbucket_pipeline.events.quick import plain_rows
from rustbucket_pipeline.events.read import read_run, records_of
from rustbucket_pipeline.events.row import EventRow
from rustbucket_pipeline.events.trust import Grader
from rustbucket_pipeline.framing.times import microseconds
from rustbucket_pipeline.model.segment import Segment
from rustbucket_pipeline.model.window import HALF_HOUR

START = datetime(2026, 3, 2, tzinfo=UTC)

ODD = [
    "tokens of appreciation",
    "authorization: token abcdef",
    "nul \0 inside",
    "\ud83d",
    'say "hi"',
    "back\\slash",
    "ü€😀",
    "a\r\nb",
]
TEXTS = st.one_of(st.text(max_size=30), st.sampled_from(ODD), st.text(st.characters(max_codepoint=127), max_size=1200))
SCALARS = st.one_of(TEXTS, st.integers(-(2**63), 2**63), st.booleans(), st.none(), st.floats(allow_nan=False))
TEXT = b"2026-03-02T00:00:08.000000Z  INFO rustbucket::handler: Received data: a\n"
EMPTY = b'{"timestamp":"2026-03-02T00:00:09.000000Z","level":"INFO"}\n'
PEERS = ["192.0.2.7", "192.0.2.7:4444", "2001:db8::1", "[2001:db8::1]:22", "::ffff:192.0.2.7", "010.0.0.1", "none", ""]


@st.composite
def lines(draw: st.DrawFn) -> bytes:
    """A line of a known message, mostly with the fields it should have."""
    target, message = draw(st.sampled_from(sorted(TEMPLATES)))
    template = draw(st.sampled_from(TEMPLATES[target, message]))
    kinds = [*[template.meaning.raw_type] * 5, "odd"]
    fields: dict[str, object] = {"message": message, "event_type": draw(st.sampled_from(kinds))}
    for hole in template.pattern.holes:
        fields[hole.name] = draw(_values(hole.name, hole.mark))
    for name in draw(
        st.lists(
            st.sampled_from(["username", "extra", "_note", "duration", "path", "src_port", "client_ip"]), max_size=2
        )
    ):
        fields.setdefault(name, draw(SCALARS))
    at = START + timedelta(milliseconds=draw(st.integers(0, 1_000_000)))
    record = {"timestamp": f"{at:%Y-%m-%dT%H:%M:%S.%f}Z", "level": "INFO", "fields": fields, "target": target}
    written = json.dumps(record, ensure_ascii=draw(st.booleans()), separators=(",", ":"))
    if draw(st.integers(0, 9)) == 0:
        written = written.replace(',"target"', ',"span":{"name":"x"},"target"')
    if draw(st.integers(0, 9)) == 0:
        written = written.replace('"fields":{', '"fields":{"component":"x","component":"y",')
    return written.encode("utf-8", "surrogatepass") + draw(st.sampled_from([b"\n"] * 8 + [b"\r\n", b" \n"]))


def _values(name: str, mark: str) -> st.SearchStrategy[object]:
    if name == "client_ip":
        return st.sampled_from(PEERS)
    if name == "protocol":
        return st.sampled_from(["SSH", "FTP", "SMTP", "HTTP", "Ssh", "gopher", ""])
    if name == "duration_secs":
        return st.one_of(st.integers(0, 10**6), SCALARS)
    return st.one_of(st.integers(0, 10**9), SCALARS) if mark == "#" else st.one_of(TEXTS, SCALARS)


class OneObject:
    """An archive that holds a single object."""

    def __init__(self, data: bytes) -> None:
        self.data = zstandard.ZstdCompressor().compress(data)

    def get(self, key: str) -> bytes:
        return self.data


def segment_of(data: bytes) -> Segment:
    digest = sha256(data).hexdigest()
    before, after = START - timedelta(minutes=10), START + timedelta(hours=1)
    return Segment(1, 1, 1, "BKT1", START, 7, 7 + len(data), "k", digest, START, False, before, after)


def at_once(data: bytes, *, several: bool = False):
    tally = Tally(archived_bytes=len(data))
    parser = BulkParser("BKT1", several_logs=several, tally=tally)
    blocks = parser.parse(read_run(OneObject(data), [segment_of(data)]), Grader(open=False, last=microseconds(START)))
    rows = [row for block in blocks for batch in block for row in batch.to_pylist()]
    return sorted(rows, key=lambda row: row["byte_offset"]), parser.refused, tally


def one_by_one(data: bytes):
    tally = Tally(archived_bytes=len(data))
    parser = Parser(Identities("BKT1", several_logs=False), tally)
    found = list(parser.parse(records_of(OneObject(data), [segment_of(data)]), Grader(False, microseconds(START))))
    rows = batch_of([row for row in found if isinstance(row, EventRow)]).to_pylist()
    return rows, [entry for entry in found if isinstance(entry, QuarantineRow)], tally


def meant(rows):
    """JSON is compared by what it says: a number or a letter has several spellings."""
    return [{**row, "fields": row["fields"] and json.loads(row["fields"])} for row in rows]


def agree(data: bytes) -> None:
    quick, exact = at_once(data), one_by_one(data)
    assert meant(quick[0]) == meant(exact[0])
    assert quick[1:] == exact[1:]
    assert quick[2].agrees


@given(st.lists(lines(), min_size=1, max_size=12).map(b"".join))
@settings(max_examples=300)
def test_known_messages_with_any_values_give_the_rows_of_the_exact_way(data):
    agree(data)


@given(st.lists(st.one_of(lines(), st.binary(max_size=40), st.sampled_from([TEXT, EMPTY])), min_size=1, max_size=12))
@settings(max_examples=200)
def test_whatever_stands_between_them(pieces):
    agree(b"".join(pieces) or b"\n")


SSH, HTTP, LIMITER = b"protocols::ssh", b"protocols::http", b"rate_limiter"
PLAIN = [
    (SSH, b'Exec request","event_type":"command","protocol":"SSH","client_ip":"192.0.2.7:22","command":"a b"'),
    (SSH, b'PTY request","event_type":"connection","client_ip":"::1","terminal":"x","width":80,"height":2'),
    (SSH, b'Session ended","event_type":"session","protocol":"SSH","commands_processed":5,"duration_secs":17'),
    (SSH, b'Authentication attempt","event_type":"auth","username":"r\\u00e9","password":"\\"1\\\\","key_type":"z"'),
    (HTTP, b'Request parsed","event_type":"command","protocol":"HTTP","method":"GET","path":"/a?b=\\n"'),
    (LIMITER, b'Connection blocked","event_type":"connection","component":"x","client_ip":"::1","reason":"y"'),
    (LIMITER, b'Connection blocked","event_type":"connection","component":"x","client_ip":"unknown","reason":"y"'),
    (SSH, b'Exec request","event_type":"command","protocol":"SSH","client_ip":"::ffff:192.0.2.7","command":"id"'),
    (SSH, b'Shell request","event_type":"connection","client_ip":""'),
    (LIMITER, b'IP banned","event_type":"connection","component":"x","client_ip":"::1"'),
    (LIMITER, b'RateLimiter initialized","event_type":"operational","component":"x","enabled":true'),
    (LIMITER, b'RateLimiter initialized","event_type":"operational","component":"x"'),
]
"""A line of each kind that is read in a way of its own, by its target: what stands from the message to the target."""

STROKES = [b'"', b"\\", b",", b":", b"{", b"}", b"\xff", b"\0", b"\t", b"\r", b"\n", b"0", b" ", b"\xc3\xa9", b"token"]
STROKES += [
    b',"username":"x"',
    b',"component":"x"',
    b',"duration_secs":3',
    b',"a":null',
    b'"a":{}',
    b"\\u0000",
    b"\\ud83d",
]


def line_of(target: bytes, fields: bytes) -> bytes:
    head = b'{"timestamp":"2026-03-02T00:00:08.000000Z","level":"INFO","fields":{"message":"'
    return b'%b%b},"target":"rustbucket::%b"}\n' % (head, fields, target)


@st.composite
def mistyped(draw: st.DrawFn) -> bytes:
    """A plain line in which something is left out or put in, now and then a piece of itself."""
    line = line_of(*draw(st.sampled_from(PLAIN)))
    for _ in range(draw(st.integers(0, 2))):
        start, end = sorted(draw(st.tuples(st.integers(0, len(line)), st.integers(0, len(line)))))
        put = draw(st.one_of(st.sampled_from(STROKES), st.just(line[start:end]), st.just(b"")))
        line = line[:start] + put + line[draw(st.sampled_from([start, start, min(start + 1, len(line)), end])) :]
    return line


@given(st.lists(st.one_of(mistyped(), mistyped(), lines()), min_size=1, max_size=6).map(b"".join))
@settings(max_examples=400)
def test_a_stroke_more_or_less_in_a_plain_line(data):
    agree(data)


@pytest.mark.parametrize("last", [b"username", b"client_ip", b"extra", b"target"])
def test_a_line_that_stops_before_its_target_takes_nothing_of_the_next(last):
    line = line_of(SSH, b'Exec request","event_type":"command","protocol":"SSH","%b":"a\\n"' % last)
    data = line.replace(b',"target":"rustbucket::protocols::ssh"}', b"") + line.replace(b"a\\n", b"\xff") + line
    agree(data * 2)


def odd_lines(data: bytes) -> list[int]:
    """The places of those that the quick way doesn't take."""
    (plain,) = [read for read in read_run(OneObject(data), [segment_of(data)]) if isinstance(read, PlainLines)]
    return plain_rows(plain, lambda _: False).odd


def test_lines_of_every_kind_are_taken_by_the_quick_way():
    data = b"".join(starmap(line_of, PLAIN))
    assert odd_lines(data) == []
    agree(data)


@pytest.mark.parametrize(
    "members",
    [
        b',"a":"b","a":"c"',
        b',"a":"b","z":"y","a":1',
        b',"a":1,"a":2',
        b',"duration_secs":1,"duration_secs":2',
        b',"duration_secs":1,"a":"b","duration_secs":2',
        b',"duration_secs":"1"',
        b',"duration_secs":-1',
        b',"duration":"2s"',
        b',"src_port":7',
        b',"username":"b","client_ip":"::1"',
        b',"username":"b","username":"c"',
        b',"a":"b","username":"c"',
        b',"a":1,"username":"c"',
        b',"username":"b","component":"c"',
        b',"username":null',
        b',"component":1',
        b',"protocol":"SSH","event_type":"command"',
        b',"a":{}',
        b',"a":["b"]',
        b',"a":01',
        b',"a":1.5',
        b',"a":1234567890123456',
        b', "a":"b"',
        b',"a" :"b"',
        b',"a":"b" ',
        b',"a1":"b"',
        b',"A":"b"',
        b',"_a":"b"',
        b',"":"b"',
        b',"\\u0061":"b"',
        b',"a":"\\ud83d\\ude00"',
        b',"a":"\\u0000"',
        b',"a":"\xff"',
        b',"client_ip":"\\u0031.2.3.4"',
        b',"username":"a token"',
        b',"authorization":"b"',
        b',"a":"x' + b"y" * UNTIDY_FROM + b'"',
        b'},"span":{"name":"x"',
    ],
)
def test_what_may_mean_more_than_it_says_goes_the_exact_way(members):
    plain = line_of(SSH, b'Exec request","event_type":"command","protocol":"SSH"')
    data = plain + plain.replace(b'},"target"', members + b'},"target"') + plain
    assert odd_lines(data) == [1]
    agree(data)


def test_the_quick_way_takes_what_a_rustbucket_writes():
    """Else it would be of no use, and all of these tests would hold."""
    played = hour_lines(cast_fleet(1, seed=1)[0], START, "window", 1)
    end = microseconds(START + HALF_HOUR)
    data = b"".join(line.data for line in sorted(played, key=lambda line: line.at) if line.at < end)
    assert len(odd_lines(data)) < 0.15 * data.count(b"\n")
    agree(data)


def test_equal_lines_are_different_events(json_line):
    line = json_line(event_type="command", protocol="FTP", command="LIST")
    rows, _, _ = at_once(line * 3)
    assert len({row["event_id"] for row in rows}) == 3
    agree(line * 3)


def test_of_equal_records_the_first_is_the_first_even_if_it_is_glued_to_another(json_line):
    line = json_line(event_type="command", protocol="SSH", command="id", target="rustbucket::protocols::ssh_shell")
    agree(line[:60] + line * 2 + line[:60] + line * 2)


def test_bytes_that_are_not_utf_8_are_kept_whatever_stands_beside_them(json_line):
    line = json_line(event_type="command", protocol="SSH", command="uname", target="rustbucket::protocols::ssh_shell")
    agree(line + line.replace(b"uname", b"un\xffame") + line)


def test_versions_do_not_depend_on_which_way_a_row_came(json_line):
    line = json_line(event_type="command", protocol="SSH", command="id", target="rustbucket::protocols::ssh_shell")
    data = line + line.replace(b'"id"', b'"token"') + line
    written, again = Written(), Written()
    tally = Tally()
    parser = BulkParser("BKT1", several_logs=False, tally=tally)
    for block in parser.parse(read_run(OneObject(data), [segment_of(data)]), Grader(False, microseconds(START))):
        written.add(block)
    parser = Parser(Identities("BKT1", several_logs=False), tally)
    rows = parser.parse(records_of(OneObject(data), [segment_of(data)]), Grader(False, microseconds(START)))
    again.add([batch_of(list(rows))])
    assert written.version() == again.version()
