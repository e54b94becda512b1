"""The four dialects Rustbucket wrote over time: what a visit leaves in the log, as exact bytes.

One line per dialect in `DIALECTS`; whoever adds one writes a file beside these.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from rustbucket_pipeline.demo.acts import Visit
from rustbucket_pipeline.demo.dialects import classic, proto
from rustbucket_pipeline.demo.dialects.emission import Emission, Pace, as_json, as_text
from rustbucket_pipeline.demo.dialects.structured import boot, upload_check
from rustbucket_pipeline.demo.dialects.structured_http import http
from rustbucket_pipeline.demo.dialects.structured_loop import ftp_or_smtp
from rustbucket_pipeline.demo.dialects.structured_ssh import ssh


@dataclass(frozen=True, slots=True)
class Dialect:
    """How one generation of Rustbucket logs. `file_name` is a strftime pattern; `hourly_round` None: it has none."""

    name: str
    has_ssh: bool
    hourly_files: bool
    visit: Callable[[Visit, Pace], Iterator[Emission]]
    boot: Callable[[Pace, str], Iterator[Emission]]
    hourly_round: Callable[[Pace, str, str], Iterator[Emission]] | None
    encode: Callable[[Emission], bytes]

    @property
    def file_name(self) -> str:
        """Name of the log file of a moment, for `strftime`."""
        return "rustbucket.log.%Y-%m-%d-%H" if self.hourly_files else "rustbucket.log.%Y-%m-%d"


def _structured(visit: Visit, pace: Pace) -> Iterator[Emission]:
    if visit.protocol == "SSH":
        return ssh(visit, pace)
    return http(visit, pace) if visit.protocol == "HTTP" else ftp_or_smtp(visit, pace)


DIALECTS = {
    dialect.name: dialect
    for dialect in (
        Dialect("json", True, True, _structured, boot, upload_check, as_json),
        Dialect("kv", True, True, _structured, boot, upload_check, as_text),
        Dialect("proto", False, False, proto.visit_records, proto.boot, None, as_text),
        Dialect("classic", False, False, classic.visit_records, proto.boot, None, as_text),
    )
}
