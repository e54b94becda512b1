"""Arguments of a job, `name=value`: the config its ops declare, and nothing else. Unknown ones are refused by name."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import dagster as dg

from rustbucket_pipeline.control.jobs import Job
from rustbucket_pipeline.errors import UsageError


@dataclass(frozen=True, slots=True)
class Argument:
    """An argument that a job takes: the op whose config it is, what kind of value, and what it is for."""

    op: str
    name: str
    kind: str
    description: str

    def value(self, written: str) -> object:
        """The value as the op wants it. Raises `UsageError`."""
        if self.kind in {"String", "enum"}:
            return written
        try:
            return json.loads(written)
        except ValueError:
            raise UsageError(
                f"{self.name}={written[:80]!r} is no {self.kind}; write it as in JSON: true, 3, null"
            ) from None


def run_config(definitions: dg.Definitions, job: Job, written: Iterable[str]) -> dict[str, object]:
    """The run config that these arguments make.

    Raises:
        UsageError: not of the form `name=value`, or the job doesn't take it, or not that value.
    """
    known = {argument.name: argument for argument in arguments_of(definitions, job)}
    ops: dict[str, dict[str, dict[str, object]]] = {}
    for one in written:
        name, equals, value = one.partition("=")
        if not equals:
            raise UsageError(f"{one[:80]!r} is no argument; write NAME=VALUE")
        if name not in known:
            takes = ", ".join(sorted(known)) or "none"
            raise UsageError(f"{job.name} takes no argument {name[:80]!r}; it takes {takes}")
        ops.setdefault(known[name].op, {"config": {}})["config"][name] = known[name].value(value)
    config: dict[str, object] = {"ops": ops} if ops else {}
    _validate(definitions, job, config)
    return config


def arguments_of(definitions: dg.Definitions, job: Job) -> list[Argument]:
    """Every argument the job takes."""
    found: list[Argument] = []
    for node in definitions.resolve_job_def(job.name).graph.nodes:
        definition = node.definition
        config = (
            definition.config_field.config_type
            if isinstance(definition, dg.OpDefinition) and definition.config_field
            else None
        )
        if isinstance(config, dg.Shape):
            fields: Mapping[str, dg.Field] = config.fields
            found += [
                Argument(node.name, name, _kind(field), field.description or "") for name, field in fields.items()
            ]
    return found


def _kind(field: dg.Field) -> str:
    """The plain type behind Dagster's own wrappers: optional, or read from the environment."""
    kind = field.config_type
    if isinstance(kind, dg.Noneable):
        kind = kind.inner_type
    if isinstance(kind, dg.ScalarUnion):
        kind = kind.scalar_type
    return "enum" if isinstance(kind, dg.Enum) else kind.given_name or kind.kind.name.lower()


def _validate(definitions: dg.Definitions, job: Job, config: Mapping[str, object]) -> None:
    try:
        dg.validate_run_config(definitions.resolve_job_def(job.name), config)
    except dg.DagsterInvalidConfigError as error:
        raise UsageError(f"{job.name}: {'; '.join(one.message for one in error.errors)}; correct --arg") from None
