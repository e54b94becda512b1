"""Text logs made up by chance: mostly what a rustbucket writes, with everything between that may stand there."""

from datetime import timedelta
from random import Random

from rustbucket_pipeline.events.casing import VERBS
from rustbucket_pipeline.events.dialects.structured import TEMPLATES, Template
from rustbucket_pipeline_tests.events.reading import START

MESSAGES = sorted(TEMPLATES)
STEPS = [13, 170, 5_000, 90_000, 0, -60_000]
"""Microseconds from one record to the next."""

LEAPS = [-101_000, -1_500_000, 2_100_000, 30_000_000, 130_000_000, -130_000_000, 86_400_000_000]
TEXTS = [
    "root",
    "123456",
    "ls -la",
    "a=b c=d",
    "",
    " ",
    "uname -a; cat /proc/cpuinfo",
    "ü€😀",
    'say "hi"',
    "back\\slash",
]
ODD_TEXTS = [
    "x\ny",
    "GET / HTTP/1.1\r\nHost: a\r\n\r\n",
    "\x1b[31mred\x1b[0m",
    'x auth_method="password"',
    'root password=x auth_method="none',
    "token abcdef",
    "Authorization: Token 0123456789abcdef",
    "GET /extract_logs HTTP/1.1\r\nAuthorization: Token x\r\n\r\n",
    "nul \0 inside",
    "\udcff bytes",
    "long " * 300,
    "ends in \r",
    "USER ftp",
    "PASS me@home",
    'event_type="auth"',
]
SAID = ["USER anna", "PASS  s3cret  word", "STOR a.bin", "MAIL FROM: <a@b.c>", "RCPT TO:<x@y.z>", "PASS s3CRET word"]
LOGGED = ["ANNA", "S3CRET WORD", "A.BIN", "<A@B.C>", "<X@Y.Z>", "root", "", 'say "HI"']
OPTIONS = ['Some("ANNA")', "None", '["<A@B.C>", "<X@Y.Z>"]', 'Some("\\"x\\"")', "x"]
PEERS = ["192.0.2.7", "192.0.2.7:4444", "2001:db8::1", "[2001:db8::1]:22", "::ffff:192.0.2.7", "010.0.0.1", "none"]
PROTOCOLS = ["SSH", "FTP", "SMTP", "HTTP", "Ssh", "gopher"]
NUMBERS = ["0", "17", "true", "007", "1.5", "-3", "12345678901234567"]
FORGED = 0.2
"""Share of odd values in which a line break and a record of the attacker's own stand."""

LINES = [
    b"bare line\n",
    b"\n",
    b"2026-03-02T00:00:01.5Z INFO rustbucket: Tracing initialized\n",
    b"2026-13-02T00:00:01.000000Z  INFO rustbucket: New connection\n",
    b'{"timestamp":"2026-03-02T00:00:09.000000Z","level":"INFO","fields":{"message":"x"},"target":"rustbucket"}\n',
    b'{"eventid":"cowrie.session.connect","timestamp":"2026-03-02T00:00:09.000000Z"}\n',
    b"\0\0\0\n",
]


class Writer:
    """Writes a log; `oddness` is the share of records that something is odd about."""

    def __init__(self, seed: int, oddness: float) -> None:
        """Begin at the half hour's start."""
        self._random = Random(seed)
        self._oddness = oddness
        self._at = timedelta(seconds=1)
        self._lines: list[bytes] = []

    def log(self, records: int) -> bytes:
        """The next so many records."""
        for _ in range(records):
            if self._odd():
                self._lines.append(self._something())
            else:
                self._lines.append(self._record())
        return b"".join(self._lines)

    def _odd(self) -> bool:
        return self._random.random() < self._oddness

    def _something(self) -> bytes:
        """A bare line, a foreign head, a record of before, or one half."""
        random, record = self._random, self._record()
        return random.choice(
            [
                random.choice(LINES),
                random.choice(self._lines[-300:] or [record]),
                record[: random.randrange(len(record))] + random.choice([b"", b"\n"]),
                record.replace(b"\n", b"\r\n"),
                record.replace(b" INFO ", b" DEBUG span{x=1}:inner: "),
                record.replace(b"rustbucket", b"other", 1),
            ]
        )

    def _record(self) -> bytes:
        random = self._random
        self._at += timedelta(microseconds=random.choice(LEAPS if self._odd() else STEPS))
        target, message = random.choice(MESSAGES)
        level = random.choice([" INFO", " INFO", "ERROR", " WARN"])
        body = f"{message}{self._fields(random.choice(TEMPLATES[target, message]))}"
        written = f"{START + self._at:%Y-%m-%dT%H:%M:%S.%f}Z {level} {target}: {body}\n"
        return written.encode("utf-8", "surrogateescape")

    def _fields(self, template: Template) -> str:
        written = f' event_type="{template.meaning.raw_type}"'
        for at, hole in enumerate(template.pattern.holes):
            quoted = template.pattern.literals[at].endswith('"')
            written += (
                f' {hole.name}="{self._value(hole.name, hole.mark)}"'
                if quoted
                else (f" {hole.name}={self._value(hole.name, hole.mark)}")
            )
        return written

    def _value(self, name: str, mark: str) -> str:
        random, odd = self._random, self._odd()
        if name == "client_ip":
            return random.choice(PEERS if odd else PEERS[:4])
        if name == "protocol":
            return random.choice(PROTOCOLS if odd else PROTOCOLS[:4])
        if mark == "#":
            return random.choice(NUMBERS if odd else NUMBERS[:2])
        if mark == "?":
            return random.choice(OPTIONS if odd else OPTIONS[:3])
        if name in VERBS and not odd:
            return random.choice(LOGGED)
        if odd and random.random() < FORGED:
            return "x\n" + self._record().decode("utf-8", "surrogateescape").rstrip("\n")
        return random.choice(ODD_TEXTS if odd else TEXTS if name != "command" else TEXTS + SAID)
