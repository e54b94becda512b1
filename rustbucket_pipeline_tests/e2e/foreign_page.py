"""A page of somebody else's, open in the browser of whoever runs this: what it tries, and what came back to it."""

import contextlib
import threading
from collections.abc import Generator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

NAME = "attacker.example"
"""Bound to this machine, as whoever owns the name may do at any time."""

PAGE = """<!doctype html><title>cats</title><body><script>
const ui = "UI", outcomes = {};
const asks = name => ({query: `mutation { setConcurrencyLimit(concurrencyKey: "attack_${name}", limit: 1) }`});
const address = name => `${ui}/graphql?query=${encodeURIComponent(asks(name).query)}`;
const attempts = {
  image: name => new Promise(done => {
    const image = new Image();
    image.onload = () => done("shown");
    image.onerror = () => done("not shown");
    image.src = address(name);
  }),
  form: name => new Promise(done => {
    const frame = Object.assign(document.createElement("iframe"), {name: "hidden"});
    document.body.append(frame);
    const form = document.body.appendChild(document.createElement("form"));
    Object.assign(form, {method: "post", action: address(name), target: "hidden"});
    frame.onload = () => done("sent");
    form.submit();
  }),
  post: name => fetch(address(name), {method: "POST", mode: "no-cors"}).then(() => "sent"),
  json: name => fetch(`${ui}/graphql`, {
    method: "POST", headers: {"Content-Type": "application/json"}, body: JSON.stringify(asks(name)),
  }).then(answer => answer.text()),
  text: () => fetch(`${ui}/server_info`).then(answer => answer.text()),
  script: () => new Promise(done => {
    const script = document.createElement("script");
    script.onload = () => done("loaded");
    script.onerror = () => done("not loaded");
    script.src = `${ui}/server_info`;
    document.body.append(script);
  }),
  websocket: () => new Promise(done => {
    const socket = new WebSocket(`${ui.replace("http", "ws")}/graphql`, "graphql-ws");
    socket.onopen = () => done("open");
    socket.onerror = () => done("not open");
  }),
};
(async () => {
  for (const [name, attempt] of Object.entries(attempts))
    outcomes[name] = await attempt(name).catch(error => `${error.name}`);
  window.outcomes = outcomes;
})();
</script>"""

FRAMING = """<!doctype html><title>cats</title><iframe name="framed" src="UI/runs"></iframe>"""


@dataclass
class ForeignSite:
    """Where it is served, and which of its paths were asked for."""

    port: int
    reached: list[str] = field(default_factory=list[str])

    def address(self, path: str, ui: int) -> str:
        """Of its page `path` (`page` or `framing`) that goes for the web UI on that port."""
        return f"http://{NAME}:{self.port}/{path}?{ui}"


@contextlib.contextmanager
def foreign_site() -> Generator[ForeignSite]:
    """Serve it on loopback."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            path, _, ui = self.path.partition("?")
            site.reached.append(path)
            page = {"/page": PAGE, "/framing": FRAMING}.get(path, "").replace("UI", f"http://127.0.0.1:{ui}")
            self.send_response(200 if page else 404)
            self.send_header("Content-Type", "text/html; charset=utf-8")
            self.end_headers()
            self.wfile.write(page.encode())

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    site = ForeignSite(server.server_port)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield site
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
