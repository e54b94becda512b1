"""key=value text (December 2025): messages with fields, written `message event_type="auth" client_ip=… username=…`.

Values are bare and may hold blanks and whole key=value pairs, so a record is read by the known order of its message's
keys (`structured`); what stands behind attacker text never becomes a field.
"""

import re

from rustbucket_pipeline.events.dialects.structured import TEMPLATES
from rustbucket_pipeline.events.record import UNFINISHED, UNKNOWN, Opened, Parsed, TextRecord

MARK = ' event_type="'
"""Ends a message; what follows are fields."""

_TYPE = re.compile(r'event_type="([a-z_]{1,32})"')


class KeyValue:
    """Structured fields as text."""

    name = "kv"

    def recognise(self, record: Opened) -> Parsed | None:
        """The record's reading; None where no `event_type` follows a message without a line break."""
        if record.text is None:
            return None
        level, target, body, dirty = record.text
        message, mark, fields = body.partition(MARK)
        if not mark or "\n" in message:
            return None
        for template in TEMPLATES.get((target or "", message), ()):
            values = template.pattern.match(body)
            if values is not None:
                values = {"event_type": template.meaning.raw_type, **values}
                return Parsed(self.name, level, target, message, values, template.meaning, dirty)
        return self._unfinished(record.text, message) or self._unlisted(record, message, MARK.lstrip() + fields)

    def _unfinished(self, text: TextRecord, message: str) -> Parsed | None:
        """A record that stops in the middle of what its message must have, read as far as it goes."""
        level, target, body, dirty = text
        variants = TEMPLATES.get((target or "", message), ())
        begun = [(values, template) for template in variants if (values := template.pattern.begun(body)) is not None]
        if not begun:
            return None
        values, template = max(begun, key=lambda found: len(found[0]))
        values = {"event_type": template.meaning.raw_type, **values}
        awaits = template.pattern.ending
        return Parsed(self.name, level, target, message, values, template.meaning, dirty, [UNFINISHED], awaits=awaits)

    def _unlisted(self, record: Opened, message: str, fields: str) -> Parsed | None:
        kind = _TYPE.match(fields)
        if record.text is None or kind is None or ": " in message:
            return None
        rest = fields[kind.end() + 1 :]
        values: dict[str, object] = {"event_type": kind[1], "unread": rest} if rest else {"event_type": kind[1]}
        return Parsed(self.name, record.text.level, record.text.target, message, values, UNKNOWN, record.text.dirty)


KV = KeyValue()
