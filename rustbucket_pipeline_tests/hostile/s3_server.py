"""An S3 that lists and answers what a test says: no honest server would list such keys."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING
from urllib.parse import quote
from xml.sax.saxutils import escape

import boto3
from botocore.config import Config

from rustbucket_pipeline_tests.net.loopback import Loopback, Peer, answer

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client


@dataclass
class HostileS3:
    """Lists `keys`, whatever prefix is asked for; each holds `objects[key]`, or what `instead` answers."""

    objects: dict[str, bytes]
    etag: str = "one"
    instead: Callable[[Peer], None] | None = None
    fetched: list[str] = field(default_factory=list)

    def __call__(self, peer: Peer) -> None:
        path = peer.request.split(b" ", 2)[1].decode()
        if "list-type=2" in path:
            answer(self._listing(), "application/xml")(peer)
            return
        self.fetched.append(path)
        if self.instead:
            self.instead(peer)
            return
        data = next((data for key, data in self.objects.items() if path == f"/logs/{quote(key)}"), b"")
        etag = f'ETag: "{self.etag}"\r\nContent-Range: bytes 0-{len(data) - 1}/{len(data)}\r\n'
        answer(data, "binary/octet-stream", "206 Partial Content", etag)(peer)

    def _listing(self) -> bytes:
        contents = "".join(
            f"<Contents><Key>{escape(quote(key))}</Key><ETag>&quot;{self.etag}&quot;</ETag><Size>{len(data)}</Size>"
            "<LastModified>2026-03-02T10:00:00.000Z</LastModified></Contents>"
            for key, data in self.objects.items()
        )
        head = "<IsTruncated>false</IsTruncated><EncodingType>url</EncodingType><Name>logs</Name>"
        return f'<?xml version="1.0"?><ListBucketResult>{head}{contents}</ListBucketResult>'.encode()


def precondition_failed(peer: Peer) -> None:
    """What S3 says when the object isn't the one that was listed."""
    body = b'<?xml version="1.0"?><Error><Code>PreconditionFailed</Code><Message>If-Match</Message></Error>'
    answer(body, "application/xml", "412 Precondition Failed")(peer)


def client_of(server: Loopback) -> "S3Client":
    """A boto3 client of that server that gives up soon; its keys are nobody's."""
    keys = {"aws_access_key_id": "testing", "aws_secret_access_key": "testing", "region_name": "us-east-1"}
    config = Config(
        connect_timeout=1, read_timeout=1, retries={"total_max_attempts": 2}, s3={"addressing_style": "path"}
    )
    return boto3.client("s3", endpoint_url=server.url, config=config, **keys)
