"""Run every benchmark, print tables and write benchmarks/results/latest.json."""

import json
import subprocess
import sys
from pathlib import Path

from benchmarks import quality, speed


def table(title: str, rows: list[dict], columns: dict[str, str]) -> None:
    print(f"\n{title}\n" + "  ".join(f"{name:>34}" for name in columns))
    for row in rows:
        print("  ".join(f"{form.format(row[name]) if name in row else '':>24}" for name, form in columns.items()))


def main() -> None:
    shape = {"people": "{:,}", "task": "{}", "ms": "{:.2f}", "ratio": "{:.1f}"}
    engine = speed.rows()
    table("Engine, as a ratio to reading the bytes", engine, shape)
    sites = []
    for people in (10_000, 100_000, 1_000_000):
        done = subprocess.run(
            [sys.executable, "-m", "benchmarks.site", str(people)], check=True, stdout=subprocess.PIPE, text=True
        )
        found_there = json.loads(done.stdout.splitlines()[-1])
        table(f"{people:,} people in PostgreSQL, and pages under gunicorn", found_there, shape | {"p95": "{:.1f}"})
        sites += found_there
    found = quality.precision()
    decision = [{"method": name, "share": share} for name, share in found.items()]
    table("Of the ten ranked first, truly meeting all essentials", decision, {"method": "{}", "share": "{:.2f}"})
    results = Path(__file__).parent / "results"
    results.mkdir(exist_ok=True)
    everything = {"engine": engine, "sites": sites, "decision": decision}
    (results / "latest.json").write_text(json.dumps(everything, indent=1))


if __name__ == "__main__":
    main()
