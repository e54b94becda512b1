"""Where logs may lie: below the named roots only, each place written one way, no two overlapping."""

from pathlib import Path

import pytest

from rustbucket_pipeline.errors import UsageError
from rustbucket_pipeline.fleet.places import overlap, place_of


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        ("s3://logs/honeypot-logs/BKT100001/", "s3://logs/honeypot-logs/BKT100001"),
        ("s3://logs", "s3://logs"),
        ("s3://my.bucket-1/a=b/c+d", "s3://my.bucket-1/a=b/c+d"),
    ],
)
def test_an_s3_place_is_written_one_way(text: str, kept: str) -> None:
    assert place_of(text, ()) == kept


@pytest.mark.parametrize(
    "text",
    [
        *(
            "s3://",
            "s3:///x",
            "s3://UPPER/x",
            "s3://a/../b",
            "s3://bucket/./b",
            "s3://bucket/a//b",
            "s3://bucket/%2e%2e",
        ),
        *(
            "s3://bucket/a?b",
            "s3://bucket/a#b",
            "s3://bucket/\x00",
            "s3://bucket/ü",
            "s3://user@bucket/x",
            "s3://bucket/a b",
        ),
        *("http://bucket/x", "/srv/logs", "file://host/srv", "file:relative", "", "s3://bucket/" + "a" * 2000),
    ],
)
def test_anything_else_is_no_place(text: str) -> None:
    with pytest.raises(UsageError, match="logs_url"):
        place_of(text, ())


def test_a_directory_below_a_root_is_kept_resolved(tmp_path: Path) -> None:
    folder = tmp_path / "with blank" / "BKT1"
    folder.mkdir(parents=True)
    assert place_of(f"file://{tmp_path}/with%20blank/x/../BKT1", [tmp_path]) == folder.as_uri()


@pytest.mark.parametrize("path", ["", "/../outside", "/link", "/root/%2e%2e/%2e%2e/outside", "/link/below"])
def test_no_path_leads_out_of_the_roots(tmp_path: Path, path: str) -> None:
    root, outside = tmp_path / "root", tmp_path / "outside"
    root.mkdir()
    (outside / "below").mkdir(parents=True)
    (root / "link").symlink_to(outside)
    with pytest.raises(UsageError, match="RUSTBUCKET_SOURCE_ROOTS"):
        place_of(f"file://{root}{path}", [root] if path else [])


def test_a_root_that_is_a_link_itself_is_followed(tmp_path: Path) -> None:
    (tmp_path / "real" / "BKT1").mkdir(parents=True)
    (tmp_path / "root").symlink_to(tmp_path / "real")
    kept = place_of(f"file://{tmp_path}/root/BKT1", [tmp_path / "root"])
    assert kept == (tmp_path / "real" / "BKT1").as_uri()


def test_a_directory_that_isnt_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="is no directory"):
        place_of(f"file://{tmp_path}/nowhere", [tmp_path])


@pytest.mark.parametrize(
    ("one", "other", "expected"),
    [
        ("s3://b/x", "s3://b/x", True),
        ("s3://b/x", "s3://b/x/y", True),
        ("s3://b", "s3://b/x", True),
        ("s3://b/x", "s3://b/xy", False),
        ("s3://b/x", "s3://c/x", False),
        ("file:///srv/a", "file:///srv/a/b", True),
        ("file:///srv/a", "file:///srv/ab", False),
    ],
)
def test_places_overlap_by_whole_names(one: str, other: str, *, expected: bool) -> None:
    assert (overlap(one, other), overlap(other, one)) == (expected, expected)
