"""What goes wrong in the simulated fleet, on purpose, once each: restarts, copies, late and damaged records.

Every incident takes the files as they should be and gives them back as they are found.
"""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

from rustbucket_pipeline.demo.acts import EPOCH, moment_of
from rustbucket_pipeline.demo.cast import SimulatedRustbucket, instance_name
from rustbucket_pipeline.demo.dialects.emission import Told
from rustbucket_pipeline.demo.files import LogFile
from rustbucket_pipeline.demo.lines import Line, boot_lines

MINUTE_US = 60_000_000
CLOCK_UNSET = EPOCH + timedelta(seconds=3)
_BROKEN = Told("other")
_DAMAGE = (b"\0" * 512 + b"\n", b"thread 'tokio-runtime-worker' panicked at src/main.rs:12\n")

Incident = Callable[[SimulatedRustbucket, list[LogFile], int, int], list[LogFile]]
"""`(rustbucket, files, place of the window's first file, seed)` → the files as found."""


def written_late(_: SimulatedRustbucket, files: list[LogFile], first: int, _seed: int) -> list[LogFile]:
    """The appender lags: some records of the first hour are in the second file, and some of the third hour too."""
    before, file, after = files[first : first + 3]
    late = [line for line in before.lines[-3:] if line.at > file.start - 9 * MINUTE_US]
    early = after.lines[:3]
    files[first] = before.with_lines(before.lines[: len(before.lines) - len(late)])
    files[first + 1] = file.with_lines([*file.lines[:4], *late, *file.lines[4:], *early])
    files[first + 2] = after.with_lines(after.lines[3:])
    return files


def restarted(rustbucket: SimulatedRustbucket, files: list[LogFile], first: int, seed: int) -> list[LogFile]:
    """A restart in the second hour: same local file, new random folder, and the uploader puts old files there again.

    The clock isn't set yet when the new process writes its first record: that one claims 1970.
    """
    old, new = files[first], instance_name(seed, rustbucket.id, 1)
    file = files[first + 1]
    place = next(index for index, line in enumerate(file.lines) if line.at > file.start + 20 * MINUTE_US)
    unset = replace(boot_lines(rustbucket, CLOCK_UNSET, new)[0], absurd=True)
    boot = boot_lines(rustbucket, moment_of(file.lines[place - 1].at), new)
    whole = [*file.lines[:place], unset, *boot[1:], *file.lines[place:]]
    moved = [replace(later, folder=new) for later in files[first + 2 :]]
    grown = replace(file.with_lines(whole), folder=new)
    part = file.copied_to(file.folder, file.lines[: place // 2])
    return [*files[: first + 1], part, grown, *moved, old.copied_to(new)]


def power_cut(rustbucket: SimulatedRustbucket, files: list[LogFile], first: int, seed: int) -> list[LogFile]:
    """The power goes in the third hour: its last line is torn; the next process starts with the fourth."""
    new = instance_name(seed, rustbucket.id, 2)
    cut, later = _at(files, first + 2), _at(files, first + 3)
    lines = [line for line in files[cut].lines if line.at < files[cut].start + 50 * MINUTE_US]
    lines[-1] = replace(lines[-1], data=lines[-1].data[: len(lines[-1].data) * 3 // 5], broken=True)
    files[cut] = replace(files[cut].with_lines(lines), folder=new)
    boot = boot_lines(rustbucket, moment_of(files[later].start) + timedelta(seconds=1), new)
    files[later] = files[later].with_lines([*boot, *files[later].lines])
    return [replace(f, folder=new) if f.start >= files[later].start else f for f in files]


def damaged(_: SimulatedRustbucket, files: list[LogFile], first: int, _seed: int) -> list[LogFile]:
    """A block of NULs from a crash of the machine, and a line that another program wrote into the log."""
    place = _at(files, first + 3)
    lines = list(files[place].lines)
    for share, data in zip((3, 2), _DAMAGE, strict=True):
        before = lines[len(lines) // share]
        lines.insert(len(lines) // share + 1, Line(before.at, data, _BROKEN, broken=True))
    files[place] = files[place].with_lines(lines)
    return files


def salvaged(_: SimulatedRustbucket, files: list[LogFile], first: int, _seed: int) -> list[LogFile]:
    """Somebody saved the second half of a file and put it beside the whole: the same records by another road."""
    file = files[first]
    half = next(i for i in range(len(file.lines) // 2, len(file.lines)) if not file.lines[i].forgeries)
    return [*files, file.copied_to("salvaged", file.lines[half:])]


def renamed(rustbucket: SimulatedRustbucket, files: list[LogFile], _first: int, seed: int) -> list[LogFile]:
    """The oldest file is there twice: the folder was renamed while it was copied."""
    return [*files, files[0].copied_to(instance_name(seed, rustbucket.id, 3))]


def _at(files: list[LogFile], place: int) -> int:
    """Where the file now is whose place among the originals that was."""
    originals = [index for index, file in enumerate(files) if not file.copy]
    return originals[place]


INCIDENTS: dict[str, tuple[Incident, ...]] = {
    "BKT100001": (written_late, restarted, power_cut, damaged),
    "BKT100003": (salvaged,),
    "BKT100004": (renamed,),
}
"""Who meets what. The first has hourly JSON files, the third `kv`, the fourth `classic`."""
