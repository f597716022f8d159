"""The table, and whether every bound was kept."""

from __future__ import annotations

from dataclasses import dataclass, field

LONGEST, LONGEST_OF_PARTS = 60.0, 30.0
"""Seconds until all goes by itself again, and until a job whose worker was lost is in somebody's hand again."""


@dataclass
class Line:
    """What became of one fault."""

    kind: str
    acknowledged: int = 0
    lost: set[str] = field(default_factory=set)
    doubled: set[str] = field(default_factory=set)
    seconds: float = 0.0
    back: float | None = None
    lastly: str = ""
    """What was waited for in the end."""

    def told(self) -> str:
        back = f", a lost job in hand again after {self.back:.1f} s" if self.back is not None else ""
        bad = [*sorted(f"LOST {one}" for one in self.lost), *sorted(f"DOUBLED {one}" for one in self.doubled)]
        told = f"{self.kind}: {self.acknowledged} acknowledged, all went again after {self.seconds:.1f} s{back}"
        if self.seconds > LONGEST / 2:
            told += f", lastly {self.lastly}"
        return "; ".join([told, *bad[:3]])


def table(lines: list[Line], acknowledged: int) -> str:
    """By kind of fault: how many, acknowledged, lost, doubled, the longest until all went, and until a job was back.

    What was acknowledged while two were played at once stands in both lines, and counts once among ``acknowledged``.
    """
    rows = [("fault", "how many", "acknowledged", "lost", "doubled", "longest, s", "job back, s")]
    kinds = list(dict.fromkeys(line.kind for line in lines))
    for name in [*kinds, "all"]:
        mine = [line for line in lines if name in {line.kind, "all"}]
        backs = [line.back for line in mine if line.back is not None]
        rows.append(
            (
                name,
                str(len(mine)),
                str(acknowledged if name == "all" else sum(line.acknowledged for line in mine)),
                str(sum(len(line.lost) for line in mine)),
                str(sum(len(line.doubled) for line in mine)),
                f"{max((line.seconds for line in mine), default=0):.1f}",
                f"{max(backs):.1f}" if backs else "",
            )
        )
    return "\n".join(f"{row[0]:<34}" + "".join(f"{cell:>14}" for cell in row[1:]) for row in rows)


def problems(lines: list[Line], wanted: int) -> list[str]:
    """Bounds that were broken, in sentences."""
    found = []
    for n, line in enumerate(lines, start=1):
        about = f"fault {n}, {line.kind}"
        found += [f"{about}: lost {one}" for one in sorted(line.lost)[:10]]
        found += [f"{about}: doubled {one}" for one in sorted(line.doubled)[:10]]
        if line.seconds > LONGEST:
            found.append(f"{about}: it took {line.seconds:.1f} s until all went again, more than {LONGEST:.0f}")
        if line.back is not None and line.back > LONGEST_OF_PARTS:
            found.append(f"{about}: a lost job was back after {line.back:.1f} s, more than {LONGEST_OF_PARTS:.0f}")
    if len(lines) < wanted:
        found.append(f"only {len(lines)} of {wanted} faults were played")
    return found
