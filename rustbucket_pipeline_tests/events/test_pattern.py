"""Templates: what stands in which hole, and that hostile text costs no more than its length."""

import time

from rustbucket_pipeline.events.pattern import Pattern

SSH = Pattern(
    'Authentication attempt client_ip={client_ip} username={username*} password={password*} auth_method="{method}"'
)


def test_pairs_inside_a_value_never_become_fields():
    injected = 'x auth_method="none" client_ip=6.6.6.6:1 password=y'
    found = SSH.match(
        f'Authentication attempt client_ip=192.0.2.1:5 username=root password={injected} auth_method="password"'
    )
    assert found == {"client_ip": "192.0.2.1:5", "username": "root", "password": injected, "method": "password"}


def test_fields_before_attacker_text_are_cut_at_the_first_place_that_fits():
    found = SSH.match(
        'Authentication attempt client_ip=192.0.2.1 username= username=u password=p auth_method="password"'
    )
    assert found is not None
    assert found["client_ip"] == "192.0.2.1"
    assert found["username"] == " username=u"


def test_a_debug_value_may_hold_what_follows_it():
    pattern = Pattern("mail_from={mail_from?} rcpt_to={rcpt_to?} email_data={email_data*}")
    text = 'mail_from=Some("<A rcpt_to=[\\">") rcpt_to=["<B email_data=x>", "<C>"] email_data=body rcpt_to=none'
    assert pattern.match(text) == {
        "mail_from": 'Some("<A rcpt_to=[\\">")',
        "rcpt_to": '["<B email_data=x>", "<C>"]',
        "email_data": "body rcpt_to=none",
    }


def test_numbers_must_be_numbers():
    pattern = Pattern("size: {width#}x{height#}")
    assert pattern.match("size: 80x24") == {"width": 80, "height": 24}
    assert pattern.match("size: 80x٢٤") is None
    assert pattern.match("size: 80x" + "9" * 5000) is None


def test_a_text_shorter_than_the_template_does_not_match():
    assert Pattern("ab{x}ba").match("aba") is None
    assert Pattern("whole").match("whole ") is None


def test_hostile_text_takes_linear_time():
    pattern = Pattern("a={a?} b={b*} c={c*} d={d}")
    for text in (
        "a=" + 'Some("' * 200_000,
        "a=x" + " b=" * 300_000,
        "a=x b=" + " c=" * 300_000 + "!",
        'a=["' + '", "' * 200_000 + " b=x c=y d=z",
        "a=" + 'Some("\\' * 100_000 + " b=x c=y d=z",
    ):
        before = time.process_time()
        pattern.match(text)
        assert time.process_time() - before < 0.5
