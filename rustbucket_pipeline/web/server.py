"""`python -m rustbucket_pipeline.web.server`: Dagster's web server behind our guard, as one process on loopback.

`rustbucket up` starts it. Dagster's own command can't put anything before its application, so this does what it does.
"""

import argparse
import logging
from pathlib import Path
from typing import Any

import uvicorn
from dagster import DagsterInstance
from dagster._core.workspace.context import WorkspaceProcessContext  # Dagster exports neither anywhere else
from dagster._core.workspace.load_target import WorkspaceFileTarget
from dagster._utils.log import configure_loggers
from dagster_webserver.app import (
    create_app_from_workspace_process_context,  # pyright: ignore[reportUnknownVariableType]
)
from uvicorn.config import LOGGING_CONFIG

from rustbucket_pipeline.settings import load_settings
from rustbucket_pipeline.web.guard import Guard

HOST = "127.0.0.1"
STATEMENT_TIMEOUT_MS, POOL_RECYCLE_SECONDS, POOL_OVERFLOW = 15_000, 3600, 20
"""What Dagster's own command takes for its database connections."""

LIVE_DATA_POLL_MS = 2000
SECONDS_TO_FINISH = 3
"""For answers under way when it is told to stop; a page that follows a run's log would hold it up for ever."""


def main() -> None:
    """Serve until interrupted."""
    parser = argparse.ArgumentParser(description="Dagster's web UI behind the guard, on 127.0.0.1.")
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--workspace", type=Path, required=True, help="the workspace file")
    parser.add_argument("--read-only", action="store_true", help="refuse everything that changes state")
    parser.add_argument("--log-format", choices=("colored", "json"), default="colored", help="text or JSON")
    asked = parser.parse_args()
    logging_config = _structured() if asked.log_format == "json" else LOGGING_CONFIG
    try:
        _serve(asked.port, asked.workspace, logging_config, read_only=asked.read_only)
    except KeyboardInterrupt:
        return


def _serve(port: int, workspace: Path, logging_config: dict[str, Any] | None, *, read_only: bool) -> None:
    settings, target = load_settings(), WorkspaceFileTarget([str(workspace)])
    with DagsterInstance.from_config(str(settings.dagster_home)) as instance:
        instance.optimize_for_webserver(STATEMENT_TIMEOUT_MS, POOL_RECYCLE_SECONDS, POOL_OVERFLOW)
        with WorkspaceProcessContext(instance, target, read_only=read_only) as context:
            app = create_app_from_workspace_process_context(context, live_data_poll_rate=LIVE_DATA_POLL_MS)
            uvicorn.run(
                Guard(app, port, settings.web_hosts),
                host=HOST,
                port=port,
                log_level="warning",
                log_config=logging_config,
                proxy_headers=False,
                server_header=False,
                timeout_graceful_shutdown=SECONDS_TO_FINISH,
            )


def _structured() -> None:
    """Have uvicorn's loggers write what Dagster's write, a JSON object a line; there is nothing left to configure."""
    configure_loggers(formatter="json")
    for handler in logging.getLogger("dagster").handlers:
        logging.getLogger("uvicorn").addHandler(handler)


if __name__ == "__main__":
    main()
