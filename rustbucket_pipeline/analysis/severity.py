"""How bad something is, in five steps. Only rules assign one."""

from enum import StrEnum


class Severity(StrEnum):
    """From least to worst; compare by `rank`, for the words themselves sort by alphabet."""

    INFO = "info"
    LOW = "low"
    MEDIUM = "medium"
    HIGH = "high"
    CRITICAL = "critical"

    @property
    def rank(self) -> int:
        """0 for info … 4 for critical."""
        return list(Severity).index(self)

    @property
    def next_up(self) -> "Severity":
        """One step worse; critical stays critical."""
        return list(Severity)[min(self.rank + 1, Severity.CRITICAL.rank)]
