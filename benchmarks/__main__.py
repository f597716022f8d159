"""Run every benchmark, print tables and write benchmarks/results/latest.json."""

import json
from pathlib import Path

from benchmarks import pages, quality, speed


def table(title: str, rows: list[dict], columns: dict[str, str]) -> None:
    print(f"\n{title}\n" + "  ".join(f"{name:>24}" for name in columns))
    for row in rows:
        print("  ".join(f"{form.format(row[name]):>24}" for name, form in columns.items()))


def main() -> None:
    shape = {"people": "{:,}", "task": "{}", "ms": "{:.2f}", "ratio": "{:.1f}"}
    engine = speed.rows()
    table("Engine, as a ratio to reading the bytes", engine, shape)
    page_rows = pages.rows()
    table("Pages, as a ratio to a trivial page", page_rows, shape)
    found = quality.precision()
    decision = [{"method": name, "share": share} for name, share in found.items()]
    table("Of the ten ranked first, truly meeting all essentials", decision, {"method": "{}", "share": "{:.2f}"})
    results = Path(__file__).parent / "results"
    results.mkdir(exist_ok=True)
    everything = {"engine": engine, "pages": page_rows, "decision": decision}
    (results / "latest.json").write_text(json.dumps(everything, indent=1))


if __name__ == "__main__":
    main()
