"""Rows of `log_events` as columns in bulk, from rows one by one or from lines of JSON at once. No database."""

# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false, reportUnknownArgumentType=false
# (pyarrow's stubs leave its arrays without parameters)
