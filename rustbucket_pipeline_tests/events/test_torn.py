"""Records torn apart by forged lines: counted as what they are, and both readings stay."""

from rustbucket_pipeline_tests.events.reading import OFFSET, believed, fields_of, parsed, rows
from rustbucket_pipeline_tests.events.test_trust import auth, command, opened

FORGED = opened("00:01.000000", ip="6.6.6.6:1").rstrip("\n")
FORGED_JSON = (
    '{"timestamp":"2026-03-03T00:00:01.000000Z","level":"INFO","fields":{"message":"x"},"target":"rustbucket"}'
)


def test_the_true_record_is_read_whole_and_the_forged_line_is_a_row_of_its_own():
    typed = f"ls\n{FORGED}\nid"
    true, forged = rows(command("00:05.000000", typed).encode())
    assert (true.command, true.counted, true.event_type) == (typed, True, "command")
    assert true.byte_length == len(command("00:05.000000", "ls"))
    assert fields_of(true)["_whole"] == true.byte_length + forged.byte_length
    assert (forged.event_type, forged.src_ip, forged.counted) == ("forgery", None, False)
    assert fields_of(forged)["client_ip"] == "6.6.6.6:1\nid"


def test_a_login_torn_before_its_end_counts_as_the_login_it_is():
    for forged in (FORGED, FORGED_JSON, f"{FORGED}\n{FORGED_JSON}"):
        name = f'x"\n{forged}\ny'
        true, *_, after = rows((auth("00:05.000000", password="p", username=name) + opened("00:06.000000")).encode())
        assert (true.event_type, true.username, true.password, true.counted) == ("authentication", name, "p", True)
        assert "_flags" not in fields_of(true)
        assert (after.event_type, after.src_ip) == ("session", "192.0.2.1")


def test_no_line_of_the_attacker_is_lost_or_taken_for_garbage():
    text = f"a\n{FORGED_JSON}\nb\n\nc"
    found, tally = parsed((command("00:05.000000", text) + opened("00:06.000000")).encode())
    assert tally.quarantined == 0
    assert found[0].byte_offset == OFFSET
    assert tally.suspects == 1
    assert rows(command("00:05.000000", text).encode())[0].command == text


def test_a_record_without_attacker_text_takes_no_forged_line_in():
    between = opened("00:05.500000")
    true, middle, _ = rows((command("00:05.000000", "x") + between + FORGED_JSON + "\n").encode())
    assert (true.command, middle.src_ip) == ("x", "192.0.2.1")
    assert "_whole" not in fields_of(middle)


def test_forged_lines_without_end_are_held_no_longer_than_memory_allows():
    yesterday = (opened(f"00:01.{n:06}", ip="6.6.6.6:1").replace("03-02", "03-01") for n in range(3000))
    forged = "".join(yesterday)
    data = command("00:05.000000", f"x\n{forged}".rstrip("\n")) + opened("00:06.000000")
    assert [one.suspect for one in believed(data.encode())] == [False, *[True] * 3000, False]
    found, tally = parsed(data.encode())
    assert (len(found), tally.suspects) == (3002, 3000)
