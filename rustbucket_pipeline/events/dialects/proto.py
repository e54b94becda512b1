"""Per-protocol sentences (December 2025): each protocol's handler says what it saw, values in the message.

Both SSH states are listed: the first imitation over plain TCP, and the real server, which names its client.
"""

# ruff: noqa: E501  (a table: one message, one line)

from rustbucket_pipeline.events.dialects.printf import Printf

PROTO = Printf(
    "proto",
    r"""
operational | Instance name: {instance_name}
operational | S3 logging is enabled
operational | S3 logging is disabled
operational | Failed to initialize S3 logger: {error}. Continuing without S3 logging.
operational | Generated SSH host key (Ed25519)
operational | Starting SSH honeypot on 0.0.0.0:{port#}
operational | SSH server failed: {error}
connection+ | Connection rejected from {client_ip}: {reason}
connection+ | Actor attempted to connect - {protocol}
operational | Tarpit enabled: {settings}
operational | RateLimiter initialized: {settings}
connection! | Rate limit: {client_ip} is blocklisted
connection! | Rate limit: {client_ip} is banned for {remaining} more
connection! | Rate limit: {client_ip} exceeded max concurrent connections ({active_connections#})
connection  | Rate limit: {client_ip} banned for {ban_duration_secs#} seconds (exceeded threshold)
connection! | Rate limit: {client_ip} exceeded rate limit ({rate_limit#}/min)
session     | <P> handler started
connection  | <P> connection closed during authentication
connection  | <P> connection closed immediately
connection  | <P> connection closed
session+    | <P> session ended. Commands: {commands_processed#}, LLM calls: {llm_calls_made#}, Duration: {duration}, Tarpit: {tarpit_stats}
session+    | <P> session ended. Commands: {commands_processed#}, LLM calls: {llm_calls_made#}, Duration: {duration}
session+    | <P> session ended. Requests: {requests_processed#}, LLM calls: {llm_calls_made#}, Duration: {duration}
command+    | <P> command received: {command*}
llm         | <P>: Escalating to LLM for command: {command*}
response    | <P>: Using native response for command: {command*}
command     | <P>: Unknown command, incrementing counter: {command*}
operational | <P> read error: {error}
operational | Failed to send <P> banner: {error}
operational | Failed to send <P> response: {error}
operational | Failed to send <P> prompt: {error}
llm         | LLM error: {error*}
authentication+ | SSH login attempt - username: {username*}, password: {password*}
authentication  | SSH login attempt - username: {username*}
authentication  | SSH authentication successful
operational | SSH authentication error: {error}
connection+ | New SSH connection from: {client_ip}
connection  | SSH rate limit: {client_ip} - {reason}
authentication+ | SSH password auth attempt - client: {client_ip}, user: {username*}, password: {password*}
authentication+ | SSH publickey auth attempt - client: {client_ip}, user: {username*}, key_type: {key_type}, fingerprint: {fingerprint~}
session     | SSH channel opened - client: {client_ip}
session     | SSH channel closed - client: {client_ip}
session     | SSH shell request - client: {client_ip}
command     | SSH exec request - client: {client_ip}, command: {command*}
session     | SSH PTY request - client: {client_ip}, term: {terminal*}, size: {width#}x{height#}
session     | SSH env request - client: {client_ip}, {env_name*}={env_value*}
session     | SSH window change - client: {client_ip}, new size: {width#}x{height#}
session     | SSH subsystem request - client: {client_ip}, subsystem: {subsystem*}
session+    | SSH session ended - client: {client_ip}, commands: {commands_processed#}, llm_calls: {llm_calls_made#}, duration: {duration}
operational | SSH session error: {error}
authentication  | FTP USER: {username~}
authentication+ | FTP PASS: {password~} (username: {username?})
command     | FTP STOR attempt: {filename~}
mail        | SMTP MAIL FROM: {mail_from*}
mail        | SMTP RCPT TO: {rcpt_to*}
mail+       | SMTP email data received:\n{email_data*}
request     | HTTP request received:\n{request*}
llm         | HTTP: Escalating to LLM for {method~} {path~}
response    | HTTP: Using native response for {method~} {path~}
request     | HTTP: Unknown path, incrementing counter: {path~}
operational | Failed to parse HTTP request
request+    | HTTP {method~} {path~}
operational | S3 logging is disabled or not configured
operational | Starting S3 log uploader background task
operational | S3 Bucket: {bucket?}
operational | Instance: {instance_name}
operational | Upload interval: {upload_interval_hours#} hours
operational | Delete after upload: {delete_after_upload#}
operational | S3 uploader: {note}
operational | S3 upload {note}
operational | Failed to upload {note}
operational | Failed to delete {note}
""",
)
