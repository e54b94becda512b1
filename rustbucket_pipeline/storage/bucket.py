"""An S3 bucket as an object store of obstore's: credentials by boto3's chain, bounded retries. Nothing is read here."""

from datetime import timedelta
from typing import TYPE_CHECKING

from obstore.store import S3Store

from rustbucket_pipeline.errors import ConfigurationError, StoreUnavailable
from rustbucket_pipeline.model.text import first_line

if TYPE_CHECKING:
    from boto3.session import Session
    from obstore.store import S3Config


def open_bucket(bucket: str, prefix: str, endpoint: str | None, session: "Session") -> S3Store:
    """The bucket, every request bounded in time; its region is asked for.

    Raises:
        ConfigurationError: there are no credentials, or the bucket refuses us.
        StoreUnavailable: it can't be reached.
    """
    from obstore.auth.boto3 import Boto3CredentialProvider

    config: S3Config = {"region": _region(bucket, endpoint, session)}
    if endpoint:
        config |= {"endpoint": endpoint, "virtual_hosted_style_request": False}
    return S3Store(
        bucket,
        prefix=prefix or None,
        config=config,
        # botocore promises credentials for 10 minutes; obstore asks again 5 minutes before the end
        credential_provider=Boto3CredentialProvider(session, ttl=timedelta(minutes=10)),
        # a blocking call heeds no Ctrl-C until it returns: short time-outs, bounded retries
        retry_config={"max_retries": 6, "retry_timeout": timedelta(seconds=60)},
        client_options={
            "connect_timeout": timedelta(seconds=5),
            "timeout": timedelta(seconds=30),
            "allow_http": bool(endpoint and endpoint.startswith("http://")),
        },
    )


def _region(bucket: str, endpoint: str | None, session: "Session") -> str:
    """Where the bucket lies: obstore doesn't follow it there by itself."""
    from botocore.config import Config
    from botocore.exceptions import BotoCoreError, ClientError, NoCredentialsError

    config = Config(connect_timeout=5, read_timeout=30, retries={"total_max_attempts": 3})
    try:
        client = session.client("s3", endpoint_url=endpoint, config=config)  # pyright: ignore[reportUnknownMemberType]
        answer = client.head_bucket(Bucket=bucket)
    except NoCredentialsError as error:
        raise ConfigurationError(
            f"no credentials for s3://{bucket}; set AWS_PROFILE, AWS_ACCESS_KEY_ID or a role"
        ) from error
    except ClientError as error:
        reason = f"s3://{bucket} can't be used ({first_line(error)})"
        if error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 500) < 500:
            raise ConfigurationError(f"{reason}; check its name and your rights") from error
        raise StoreUnavailable(f"{reason}; the next run tries again") from error
    except (BotoCoreError, ValueError) as error:
        raise StoreUnavailable(
            f"s3://{bucket} can't be reached ({first_line(error)}); the next run tries again"
        ) from error
    return answer.get("BucketRegion") or session.region_name or "us-east-1"
