"""What every benchmark does the same way: measure in turns, and write rows as JSON that the book shows."""

import datetime
import json
import os
import platform
from collections.abc import Callable
from pathlib import Path

RESULTS = Path(__file__).parent / "results"


def row(what: str, value: float, unit: str, budget: float | None = None, note: str = "") -> dict:
    """One measured number. what: in words, for a reader. budget: the largest value that is good, if any."""
    return {"what": what, "value": round(value, 4), "unit": unit, "budget": budget, "note": note}


def in_turns(repeats: int, *runs: Callable[[], float]) -> list[list[float]]:
    """Call the runs one after the other, `repeats` times over, and return the numbers of each.

    Taking turns lets whatever else the machine does slow them all alike.
    """
    rounds = [[run() for run in runs] for _ in range(repeats)]
    return [list(numbers) for numbers in zip(*rounds, strict=True)]


def spread(numbers: list[float]) -> str:
    """The range of repeated measurements as a note: `median of 7, from 0.98 to 1.03`."""
    return f"median of {len(numbers)}, from {min(numbers):.3g} to {max(numbers):.3g}"


def save(name: str, rows: list[dict]) -> None:
    """Write `results/NAME.json` (rows, machine, date) and print the rows."""
    import torch

    machine = {
        "cores": os.cpu_count(),
        "threads": torch.get_num_threads(),
        "python": platform.python_version(),
        "torch": torch.__version__,
    }
    result = {"name": name, "date": datetime.date.today().isoformat(), "machine": machine, "rows": rows}
    RESULTS.mkdir(exist_ok=True)
    (RESULTS / f"{name}.json").write_text(json.dumps(result, indent=2, ensure_ascii=False) + "\n")
    for entry in rows:
        budget = "" if entry["budget"] is None else f" (budget {entry['budget']:g})"
        print(f"{name}: {entry['what']}: {entry['value']:g} {entry['unit']}{budget}; {entry['note']}")
