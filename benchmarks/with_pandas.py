"""The same rows with pandas: `read_json` (for text `str.extract`), a column at a time, and `to_sql`.

It is given, and believes, what `plain_loop` is.
"""

import io
import re

import numpy as np
import pandas as pd
from sqlalchemy import DateTime, Engine
from sqlalchemy.dialects.postgresql import JSONB

from benchmarks.archiving import RUSTBUCKET
from benchmarks.loading_logs import Hour
from benchmarks.plain_loop import FIELD, HEAD, event_id, fields_of, peer_of
from rustbucket_pipeline.events.dialects.structured import MEANINGS
from rustbucket_pipeline.events.normalise import PROTOCOL_OF_TARGET
from rustbucket_pipeline.events.row import PROTOCOLS, EventRow
from rustbucket_pipeline.events.trust import IN_OPEN_TEXT, REACH
from rustbucket_pipeline.events.version import PARSER_VERSION

_TAKEN = {"event_type", "protocol", "client_ip", "username", "password", "command", "method", "path"}
_RECORD = rf"(?s){HEAD}(.*)\n"


def json_frame(hour: Hour) -> pd.DataFrame:
    """The rows of an hour of JSON lines."""
    frame = pd.read_json(io.BytesIO(hour.log), lines=True, dtype=False, convert_dates=False)
    frame["data"] = hour.log.splitlines(keepends=True)
    frame["message"] = [fields.pop("message") for fields in frame["fields"]]
    return _finished(_placed(frame, hour).assign(dialect="json", trust=1.0))


def text_frame(hour: Hour) -> pd.DataFrame:
    """The rows of an hour of key=value text: a record runs from one head to the next."""
    records = pd.Series(re.split(rf"(?m)^(?={HEAD.replace('(', '(?:')})", hour.log.decode())[1:])
    frame = records.str.extract(_RECORD).set_axis(["timestamp", "level", "target", "body"], axis=1)
    parts = frame["body"].str.split(FIELD, regex=True)
    frame = _placed(frame.assign(data=records.str.encode("utf-8"), message=parts.str[0], dialect="kv"), hour)
    frame["fields"] = parts.str[1:].map(fields_of)
    opens = [MEANINGS[key].opens for key in zip(frame["target"], frame["message"], strict=True)]
    doubtful = (frame["byte_offset"] + frame["byte_length"] + REACH).where(opens, 0).cummax().shift(fill_value=0)
    return _finished(frame.assign(trust=np.where(frame["byte_offset"] < doubtful, IN_OPEN_TEXT, 1.0)))


def load(engine: Engine, frame: pd.DataFrame) -> None:
    """Append the rows."""
    types = {"claimed_ts": DateTime(timezone=True), "fields": JSONB(none_as_null=True)}
    frame.to_sql("log_events", engine, if_exists="append", index=False, dtype=types)


def _placed(frame: pd.DataFrame, hour: Hour) -> pd.DataFrame:
    """With where each record stands: in the log, in the archive, among its equals."""
    length = frame["data"].str.len()
    offset = length.cumsum() - length
    which = np.searchsorted([segment.byte_end for segment in hour.segments], offset, "right")
    placed = frame.assign(
        byte_length=length,
        byte_offset=offset,
        segment_id=np.array([segment.id for segment in hour.segments])[which],
        window=np.array([segment.window_start.timestamp() for segment in hour.segments])[which],
    )
    nth = placed.groupby(["window", "data"]).cumcount()
    return placed.assign(event_id=[event_id(*one) for one in zip(placed["data"], nth, strict=True)])


def _finished(frame: pd.DataFrame) -> pd.DataFrame:
    """The columns of `log_events`."""
    fields = frame["fields"]
    meanings = [MEANINGS[key] for key in zip(frame["target"], frame["message"], strict=True)]
    protocol = fields.str.get("protocol").str.lower()
    peers = fields.str.get("client_ip").map(peer_of)
    rest = fields.map(lambda one: {name: one[name] for name in one.keys() - _TAKEN} or None)
    return frame.assign(
        rustbucket_id=RUSTBUCKET,
        event_ts=pd.to_datetime(frame["timestamp"]),
        claimed_ts=None,
        clamped=False,
        event_type=[meaning.event_type for meaning in meanings],
        protocol=protocol.where(protocol.isin(PROTOCOLS), frame["target"].map(PROTOCOL_OF_TARGET)),
        src_ip=peers.str[0],
        src_port=peers.str[1].astype("Int64"),
        username=fields.str.get("username"),
        password=fields.str.get("password"),
        command=fields.str.get("command"),
        http_method=fields.str.get("method"),
        http_path=fields.str.get("path"),
        duration_ms=fields.str.get("duration_secs").astype(float) * 1000,
        counted=[meaning.counted for meaning in meanings],
        fields=rest,
        parser_version=PARSER_VERSION,
    )[list(EventRow._fields)]
