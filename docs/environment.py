"""`python -m docs.environment`: writes the README's environment table anew from `settings.py`, which has every word."""

from rustbucket_pipeline.settings import PROJECT_ROOT, environment_table

README = PROJECT_ROOT / "README.md"
BEGIN, END = "<!-- environment: python -m docs.environment -->\n", "<!-- end of environment -->\n"


def main() -> None:
    """Replace what stands between the two marks."""
    before, _, rest = README.read_text(encoding="utf-8").partition(BEGIN)
    _, _, after = rest.partition(END)
    rows = "".join(f"| {name} | {description} |\n" for name, description in environment_table())
    README.write_text(f"{before}{BEGIN}| variable | what it sets |\n|---|---|\n{rows}{END}{after}", encoding="utf-8")


if __name__ == "__main__":
    main()
