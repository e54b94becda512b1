"""The archive's signature: one manifest a day of the heads of the logs' hash chains."""

import dagster as dg
from sqlalchemy import Engine

from rustbucket_pipeline.archive.growth import growth_since
from rustbucket_pipeline.archive.manifest import make_manifest
from rustbucket_pipeline.control.jobs import OWNER, SIGN_ARCHIVE
from rustbucket_pipeline.defs.failing import as_failure
from rustbucket_pipeline.defs.freshness import freshness_of
from rustbucket_pipeline.defs.resources import Clock, LastSuccess
from rustbucket_pipeline.settings import Settings
from rustbucket_pipeline.storage.objects import Archive


@dg.asset(
    deps=["log_archives"],
    group_name="archive",
    owners=[OWNER],
    kinds={"s3"},
    pool=SIGN_ARCHIVE.pool,
    freshness_policy=freshness_of(SIGN_ARCHIVE),
    code_version="1",
)
def archive_manifest(
    context: dg.AssetExecutionContext,
    database: dg.ResourceParam[Engine],
    archive: dg.ResourceParam[Archive],
    settings: dg.ResourceParam[Settings],
    clock: dg.ResourceParam[Clock],
    last_success: dg.ResourceParam[LastSuccess],
) -> dg.MaterializeResult:
    """The day's heads of the logs' hash chains, signed by the home and put into the archive once, never overwritten.

    Whoever can write the database or the archive still can't change history unseen: `rustbucket archive verify`.
    """
    with as_failure(context):
        since = last_success(SIGN_ARCHIVE)
        with database.connect() as connection:
            growth = growth_since(connection, since)
        made = make_manifest(database, archive, settings, clock())
    return dg.MaterializeResult(
        data_version=dg.DataVersion(made.sha256),
        metadata={
            "dagster/row_count": made.logs,
            "object": made.key,
            "made_now": made.new,
            "last_success": since.isoformat() if since else "never",
            "segments_since_then": growth.segments,
            "bytes_since_then": growth.bytes,
        },
    )
