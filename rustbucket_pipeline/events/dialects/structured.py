"""The messages Rustbucket logs with fields, one table for both of their writings: JSON lines and key=value text.

A row: what the log calls it > what we call it (`+`: this telling counts; `!`: a connection was turned away, which other
records count) | message | fields in source order. Marks at
field names are those of `pattern`; `"` stands for a value written in quotes. A message not listed here isn't lost: it
is kept as `unknown`. Nothing here reads bytes.
"""

# ruff: noqa: E501  (a table: one message, one line)

import re
from collections.abc import Iterator
from typing import NamedTuple

from rustbucket_pipeline.events.pattern import Pattern
from rustbucket_pipeline.events.record import Meaning

_TABLE = r"""
[rustbucket]
operational > operational | Tracing initialized |
operational > operational | Configuration loaded from Config.toml |
operational > operational | Instance started | instance_name
operational > operational | Using S3 config from registry | component" bucket region
operational > operational | S3 logging is enabled | component"
operational > operational | S3 logging is disabled | component"
operational > operational | Failed to initialize S3 logger | component" error
operational > operational | Tarpit enabled | component" base_delay_ms# max_delay_ms# progressive# multiplier# jitter_percent#
operational > operational | Fingerprint loaded | component" hostname os_version http_server
operational > operational | Generated host key | protocol" key_type"
operational > operational | Generated host key | protocol" key_type
operational > operational | Starting SSH honeypot | protocol" port#
operational > operational | SSH server failed | protocol" error
operational > operational | Listener failed | address error
operational > operational | All listeners started. Honeypot is now running indefinitely. |
operational > operational | All listeners have stopped. This should not happen. |
connection > connection+ | Connection rejected | client_ip reason
connection > connection+ | New connection | protocol" client_ip

[rustbucket::protocols::ssh]
connection > connection+ | New SSH connection | protocol" client_ip
operational > operational | SSH session error | protocol" error
operational > connection | Rate limit exceeded | protocol" client_ip reason
auth > authentication+ | Authentication attempt | protocol" client_ip username* password* auth_method"
auth > authentication+ | Authentication attempt | protocol" client_ip username* auth_method" key_type fingerprint~
connection > session | Channel opened | protocol" client_ip
connection > session | Channel closed | protocol" client_ip
connection > session | Shell request | protocol" client_ip
command > command | Exec request | protocol" client_ip command*
connection > session | PTY request | protocol" client_ip terminal* width# height#
command > session | Environment variable set | protocol" client_ip env_name* env_value*
connection > session | Window size change | protocol" client_ip width# height#
command > session | Subsystem request | protocol" client_ip subsystem*
session > session+ | Session ended | protocol" client_ip commands_processed# llm_calls_made# duration_secs#

[rustbucket::protocols::ssh_shell rustbucket::protocols]
command > command+ | Command received | protocol" command*
llm > llm | LLM escalation | protocol" command* decision"
llm > llm | LLM error | protocol" error*
response > response | Using native response | protocol" command* response_type"
command > command | Unknown command | protocol" command*

[rustbucket::protocols]
connection > connection | Connection closed | protocol"
operational > operational | Failed to send response | protocol" error
operational > operational | Read error | protocol" error
session > session+ | Session ended | protocol" commands_processed# llm_calls_made# duration_secs# tarpit_stats
session > session+ | Session ended | protocol" commands_processed# llm_calls_made# duration_secs#

[rustbucket::protocols::ftp]
connection > session | Handler started | protocol"
operational > operational | Failed to send banner | protocol" error
auth > authentication | Username provided | protocol" username~
auth > authentication+ | Authentication attempt | protocol" username? password~
command > command | File upload attempt | protocol" filename~

[rustbucket::protocols::smtp]
connection > session | Handler started | protocol"
operational > operational | Failed to send banner | protocol" error
command > mail | Mail sender specified | protocol" mail_from*
command > mail | Mail recipient specified | protocol" rcpt_to*
command > mail+ | Email data received | protocol" mail_from? rcpt_to? email_data*

[rustbucket::protocols::http]
connection > session | Handler started | protocol"
connection > connection | Connection closed immediately | protocol"
command > request | Request received | protocol" request*
operational > operational | Failed to parse request | protocol"
command > request+ | Request parsed | protocol" method~ path~
llm > llm | LLM escalation | protocol" method~ path~ decision"
llm > llm | LLM error | protocol" method~ path~ error*
response > response | Using native response | protocol" method~ path~ response_type"
command > request | Unknown path | protocol" path~
operational > operational | Failed to send response | protocol" error
operational > operational | Read error | protocol" error
session > session+ | Session ended | protocol" requests_processed# llm_calls_made# duration_secs#

[rustbucket::rate_limiter]
operational > operational | RateLimiter initialized | component" enabled# max_connections_per_ip# connection_rate_per_minute# ban_threshold# response_delay_ms
connection > connection! | Connection blocked | component" client_ip remaining_secs# reason"
connection > connection! | Connection blocked | component" client_ip remaining_secs# reason
connection > connection! | Connection blocked | component" client_ip active_connections# reason"
connection > connection! | Connection blocked | component" client_ip active_connections# reason
connection > connection! | Connection blocked | component" client_ip rate_limit# reason"
connection > connection! | Connection blocked | component" client_ip rate_limit# reason
connection > connection! | Connection blocked | component" client_ip reason"
connection > connection! | Connection blocked | component" client_ip reason
connection > connection | IP banned | component" client_ip ban_duration_secs# reason"

[rustbucket::chatgpt]
llm > llm | ChatGPT request sent | component" model user_message*
llm > llm | ChatGPT protocol-specific request sent | component" model protocol user_message*
llm > llm | ChatGPT response received | component" response*
llm > llm | ChatGPT API error | component" error*

[rustbucket::llm::openai rustbucket::llm::claude rustbucket::llm::gemini rustbucket::llm::ollama]
llm > llm | <L> request | provider" model user_message*
llm > llm | <L> protocol-specific request | provider" model protocol user_message*
llm > llm | <L> response received | provider" model response*
llm > llm | <L> API error | provider" error*
llm > operational | Ollama provider initialized | provider" host model

[rustbucket::s3_logger]
operational > operational | S3 logging is disabled or not configured | component"
operational > operational | Starting log upload check | component"
operational > operational | No log files to upload | component"
operational > operational | Starting S3 log uploader background task | component" bucket? instance
operational > operational | Upload interval configured | component" upload_interval_minutes# delete_after_upload#
operational > operational | Upload interval configured | component" upload_interval_hours# delete_after_upload#
operational > operational | Uploading log file to S3 | component" file bucket s3_key
operational > operational | Log file uploaded | component" file
operational > operational | Local file deleted | component" file
operational > operational | Log files uploaded successfully | component" files_uploaded#
operational > operational | Failed to upload logs | component" error retry_interval_hours#
operational > operational | Failed to upload log file | component" file error
operational > operational | Failed to delete local log file | component" file error

[rustbucket::registration]
registration > operational | Registration successful | status has_s3_config#
registration > operational | Registration successful | status
registration > operational | Received S3 config from registry | bucket region prefix?
registration > operational | Failed to parse registration response, continuing without S3 config | error response*

[rustbucket::fingerprint rustbucket::config]
operational > operational | Fingerprinting disabled | component"
operational > operational | Loaded fingerprint from identity file | component"
operational > operational | Generated new fingerprint | component"
"""

_ROW = re.compile(r"(?P<raw>\w+) > (?P<ours>\w+)(?P<mark>[+!]?) \| (?P<message>.+?) \|(?P<fields>.*)")
_FIELD = re.compile(r'(\w+)([*~?#"]?)')
_PROVIDERS = ("OpenAI", "Claude", "Gemini", "Ollama")


class Template(NamedTuple):
    """A message with fields: its meaning, and the pattern of its key=value writing."""

    meaning: Meaning
    pattern: Pattern


def _rows() -> Iterator[tuple[str, re.Match[str]]]:
    targets: tuple[str, ...] = ()
    for line in _TABLE.strip().splitlines():
        if line.startswith("["):
            targets = tuple(line.strip("[]").split())
        for name in _PROVIDERS if "<L>" in line else ("",):
            row = _ROW.match(line.replace("<L>", name))
            if row is not None:
                yield from ((target, row) for target in targets)


def _template(row: re.Match[str]) -> Template:
    fields: list[tuple[str, str]] = _FIELD.findall(row["fields"])
    writing = f'{row["message"]} event_type="{row["raw"]}"'
    for name, mark in fields:
        writing += f' {name}="{{{name}}}"' if mark == '"' else f" {name}={{{name}{mark}}}"
    pattern = Pattern(writing)
    debug = tuple(name for name, mark in fields if mark == "?")
    counted, refuses = row["mark"] == "+", row["mark"] == "!"
    meaning = Meaning(row["ours"], counted, row["raw"], opens=pattern.opens, debug=debug, refuses=refuses)
    return Template(meaning, pattern)


def _load() -> dict[tuple[str, str], tuple[Template, ...]]:
    templates: dict[tuple[str, str], tuple[Template, ...]] = {}
    for target, row in _rows():
        key = (target, row["message"])
        templates[key] = (*templates.get(key, ()), _template(row))
    return templates


TEMPLATES = _load()
"""By target and message, the variants in the order they are tried."""

TARGETS = frozenset(target for target, _ in TEMPLATES) | {"rustbucket::handler", "rustbucket::tarpit"}
"""Every target Rustbucket's own code logs under, in any dialect."""

MEANINGS = {key: variants[0].meaning for key, variants in TEMPLATES.items()}
"""By target and message: variants of one message mean the same."""
