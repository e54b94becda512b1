"""The everyday attackers: they come all the time, in the history too, so they are nothing new.

Each acts once per call, on one connection. How often each comes is said in `cast_of_attackers`.
"""

from rustbucket_pipeline.demo.acts import Command, Login, Mail, Protocol, Request, Step, Upload, Visit
from rustbucket_pipeline.demo.scene import Scene
from rustbucket_pipeline.demo.wordlists import (
    DISCOVERY,
    EXPLOITS,
    PASSWORDS,
    PERSISTENCE,
    RELAY_BODY,
    SCANNED,
    SCANNERS,
    STUFFED,
    UPLOADS,
    USERNAMES,
)

BRUTE_FORCERS = (*(f"203.0.113.{host}" for host in range(10, 16)), "2001:db8:1::3:f", "2001:db8:1::2a")
BOTS = tuple(f"198.51.100.{host}" for host in range(20, 60))
SCANNING = tuple(f"192.0.2.{host}" for host in range(10, 16))
PROBING = ("203.0.113.120", "203.0.113.121", "2001:db8:2::99")
RELAYING = ("192.0.2.44",)
PERSISTENT = ("203.0.113.66",)
CLUMSY = ("::ffff:198.51.100.90",)


def brute_forcer(scene: Scene) -> Visit:
    """Walks a credential list; most tries hang up at once."""
    login = Login(scene.pick(USERNAMES), scene.pick(PASSWORDS))
    steps: tuple[Step, ...] = (login,)
    if scene.rng.random() < 0.1:
        steps += (Command("uname -a"),) if scene.has_ssh else (Upload(scene.pick(UPLOADS)),)
    return visit(scene, _shell(scene), BRUTE_FORCERS, steps, leaves=scene.rng.random() < 0.3)


def turned_away(scene: Scene) -> Visit:
    """A brute forcer with too many connections open: the rate limiter refuses it."""
    return visit(scene, "SSH", BRUTE_FORCERS[:2], (), refused=True)


def ftp_visitor(scene: Scene) -> Visit:
    """Logs in by FTP and looks around."""
    steps = (Login("anonymous", "guest@example.com"), Command("PASV"), Command("LIST"), Command("TYPE I"))
    return visit(scene, "FTP", BRUTE_FORCERS[2:4] + CLUMSY, steps, leaves=True)


def bot(scene: Scene) -> Visit:
    """One of a botnet's many machines: a known pair, the same on every rustbucket, then a look around."""
    steps = (Login(*scene.pick(STUFFED)), *(DISCOVERY[:5] if scene.has_ssh else (Command("SYST"),)))
    return visit(scene, _shell(scene), BOTS, steps, leaves=True)


def key_installer(scene: Scene) -> Visit:
    """Leaves an SSH key and a cron line behind."""
    steps = (
        (Login("root", "root"), *PERSISTENCE) if scene.has_ssh else (Login("root", "root"), Upload("authorized_keys"))
    )
    return visit(scene, _shell(scene), PERSISTENT, steps, leaves=True)


def scanner(scene: Scene) -> Visit:
    """Asks for well-known paths and goes on."""
    request = Request("GET", scene.pick(SCANNED), scene.pick(SCANNERS))
    return visit(scene, "HTTP", SCANNING, (request,))


def prober(scene: Scene) -> Visit:
    """Tries web exploits: path traversal, log4shell, PHP."""
    method, path, headers = scene.pick(EXPLOITS)
    body = "<?php echo md5('demo'); ?>" if method == "POST" else ""
    return visit(scene, "HTTP", PROBING, (Request(method, path, "Mozilla/5.0", headers, body),))


def relay_tester(scene: Scene) -> Visit:
    """Tests whether mail is relayed."""
    mail = Mail("Test@Example.com", ("drop1@example.org", "drop2@example.org"), RELAY_BODY)
    return visit(scene, "SMTP", RELAYING, (mail,), leaves=True)


def curious(scene: Scene) -> Visit:
    """Somebody at a terminal who wakes the honeypot's language model."""
    steps = (Login("guest", "guest"), Command("python -c 'print(1)'", "llm"), Command("pwd"))
    return visit(scene, "SSH", PERSISTENT, steps, typed=True, leaves=True)


def visit(
    scene: Scene,
    protocol: Protocol,
    sources: tuple[str, ...],
    steps: tuple[Step, ...],
    *,
    leaves: bool = False,
    typed: bool = False,
    refused: bool = False,
) -> Visit:
    """A connection from one of the sources, now."""
    source = scene.pick(sources)
    return Visit(scene.at, protocol, source, scene.port(), steps, leaves=leaves, typed=typed, refused=refused)


def _shell(scene: Scene) -> Protocol:
    return "SSH" if scene.has_ssh else "FTP"
