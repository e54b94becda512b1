"""`python -m docs.statistics`: writes the table of `statistics.md` anew from `upkeep/statistics_figures.py`."""

from rustbucket_pipeline.settings import PROJECT_ROOT
from rustbucket_pipeline.upkeep.statistics_figures import FIGURES

PAGE = PROJECT_ROOT / "docs" / "statistics.md"
BEGIN, END = "<!-- figures: python -m docs.statistics -->\n", "<!-- end of figures -->\n"


def main() -> None:
    """Replace what stands between the two marks."""
    before, _, rest = PAGE.read_text(encoding="utf-8").partition(BEGIN)
    _, _, after = rest.partition(END)
    PAGE.write_text(f"{before}{BEGIN}{figures_table()}{END}{after}", encoding="utf-8")


def figures_table() -> str:
    """Every figure: its name, what it counts, its unit, and whether it is a state or a week's sum."""
    rows = "".join(
        f"| `{one.name}` | {one.group} | {one.what} | {one.unit} | {'a week' if one.summed else 'a state'} |\n"
        for one in FIGURES
    )
    return f"| figure | of | what | unit | |\n|---|---|---|---|---|\n{rows}"


if __name__ == "__main__":
    main()
