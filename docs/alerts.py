"""`python -m docs.alerts`: writes the table of `alerts.md` anew from `alerts/kinds.py`, which has every word."""

from rustbucket_pipeline.alerts.kinds import Kind
from rustbucket_pipeline.settings import PROJECT_ROOT

PAGE = PROJECT_ROOT / "docs" / "alerts.md"
BEGIN, END = "<!-- kinds: python -m docs.alerts -->\n", "<!-- end of kinds -->\n"


def main() -> None:
    """Replace what stands between the two marks."""
    before, _, rest = PAGE.read_text(encoding="utf-8").partition(BEGIN)
    _, _, after = rest.partition(END)
    PAGE.write_text(f"{before}{BEGIN}{kinds_table()}{END}{after}", encoding="utf-8")


def kinds_table() -> str:
    """Every kind: its severity, what it means, and when it closes."""
    rows = "".join(f"| `{kind}` | {kind.severity} | {kind.meaning} | {kind.ends} |\n" for kind in Kind)
    return f"| kind | severity | what it means | it closes when |\n|---|---|---|---|\n{rows}"


if __name__ == "__main__":
    main()
