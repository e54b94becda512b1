"""Which rules' patterns match a text, by RE2: all patterns of a field in one pass, in time linear in the text.

RE2 has no back references and no look-around, and nothing an attacker writes makes it slow; patterns ignore case, and a
dot is any character. It is the one engine for patterns of rules. Which rows hold a text is for `hits`.
"""

# pyright: reportMissingTypeStubs=false, reportUnknownMemberType=false, reportUnknownVariableType=false
# (google-re2 comes without type stubs)

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from functools import cache, lru_cache
from typing import cast

import re2

from rustbucket_pipeline.analysis.rules import FieldName, Rule, expanded, load_rules
from rustbucket_pipeline.errors import ConfigurationError

LONGEST_MATCHED = 8192
"""Characters of a text that patterns see."""

ALL, ANY, NONE = "all_of", "any_of", "none_of"

_MEMORY = 256 << 20


class Matcher:
    """Some rules' patterns, compiled together."""

    def __init__(self, rules: Sequence[Rule]) -> None:
        self._sides: list[tuple[int, str]] = []
        self._least: list[tuple[int, int]] = []
        self._set = re2.Set.SearchSet(_options())
        for place, rule in enumerate(rules):
            self._least.append((len(rule.match.all_of), min(1, len(rule.match.any_of))))
            for side in (ALL, ANY, NONE):
                for pattern in getattr(rule.match, side):
                    self._add(rule, place, side, pattern)
        if self._sides:
            self._set.Compile()

    def _add(self, rule: Rule, place: int, side: str, pattern: str) -> None:
        try:
            self._set.Add(expanded(pattern))
        except re2.error as error:
            raise ConfigurationError(f"rule {rule.id}: RE2 can't read {pattern!r}; see docs/report.md") from error
        self._sides.append((place, side))

    def matching(self, told: str) -> list[int]:
        """The rules that match, by their place: all of `all_of`, one of `any_of`, none of `none_of`."""
        if not self._sides:
            return []
        found = cast("list[int]", self._set.Match(told[:LONGEST_MATCHED].encode("utf-8", "replace")))
        if not found:
            return []
        seen = Counter(self._sides[pattern] for pattern in found)
        return [place for place in dict.fromkeys(place for place, _ in seen) if self._enough(place, seen)]

    def _enough(self, place: int, seen: Mapping[tuple[int, str], int]) -> bool:
        of_all, of_any = self._least[place]
        return seen[place, ALL] == of_all and seen[place, ANY] >= of_any and not seen[place, NONE]


@lru_cache(maxsize=64)
def matcher_of(rules: tuple[Rule, ...]) -> Matcher:
    """Theirs; compiling takes longer than matching many texts."""
    return Matcher(rules)


def failing_examples(rule: Rule) -> list[tuple[str, str]]:
    """The examples that the rule doesn't keep: what is wrong, and the text as an attacker might have written it."""
    if not rule.match.wanted:
        return []
    matcher = Matcher([rule])
    missed = [("is not matched", text) for text in rule.examples.hits if not matcher.matching(text)]
    return missed + [("is matched", text) for text in rule.examples.misses if matcher.matching(text)]


def rules_of_lines(lines: Iterable[str], field: FieldName, event_type: str) -> list[list[str]]:
    """For each line of such records: the ids of the rules that it alone is enough for."""
    rules, matcher = _by_line(field, event_type)
    return [[rules[place].id for place in matcher.matching(line)] for line in lines]


@cache
def _by_line(field: FieldName, event_type: str) -> tuple[list[Rule], Matcher]:
    rules = [rule for rule in load_rules() if _tells_by_line(rule, field, event_type)]
    return rules, matcher_of(tuple(rules))


def _tells_by_line(rule: Rule, field: FieldName, event_type: str) -> bool:
    """Whether one line is enough for the rule: it has patterns for that field, and counts nothing."""
    told = rule.match.field in {field, FieldName.ANY} and event_type in rule.match.event_types
    return rule.at_least.is_one and told and bool(rule.match.wanted)


def _options() -> "re2.Options":
    options = re2.Options()
    options.case_sensitive = False
    options.dot_nl = True
    options.log_errors = False
    options.max_mem = _MEMORY
    return options
