"""How long does it take to grade a submission, with and without the training that it asks for?"""

import json
import time
from pathlib import Path
from statistics import median

import nbformat

from benchmarks.common import in_turns, row, save, spread
from gm_lab.grading.assignment import grading
from gm_lab.grading.kernel import Kernel, warm
from gm_lab.grading.sandbox import Limits, choose_mode
from gm_lab.grading.verdict import Assignment, grade

REPEATS = 5
SOURCES = Path(__file__).parents[1] / "instructor" / "assignments"


def seconds(run) -> float:
    start = time.perf_counter()
    run()
    return time.perf_counter() - start


def right(assignment: Assignment, *without: str) -> bytes:
    """The model answers as a submission, except to some questions."""
    answers = {grading(cell)["grade_id"]: cell.source for cell in assignment.source.cells if grading(cell)}
    notebook = json.loads(nbformat.writes(assignment.release))
    for cell in notebook["cells"]:
        about = grading(cell)
        if about.get("solution") and not about["grade_id"].startswith(without):
            cell["source"] = answers[about["grade_id"]]
    return json.dumps(notebook).encode()


def main() -> None:
    mode = choose_mode("auto", Limits())
    start = seconds(warm)
    (kernels,) = in_turns(REPEATS, lambda: seconds(lambda: Kernel(mode, Limits()).close()))
    rows = [
        row("the first kernel of a batch, with its imports", start, "s", None, "once"),
        row("every further kernel, in its own sandbox", median(kernels), "s", None, spread(kernels)),
    ]
    for path in sorted(SOURCES.glob("*.ipynb")):
        assignment = Assignment.load(path)
        short, whole = (right(assignment, *without) for without in (["q5"], []))
        quick, trained = in_turns(
            3,
            lambda a=assignment, s=short: seconds(lambda: grade(a, "model", s, mode, Limits())),
            lambda a=assignment, s=whole: seconds(lambda: grade(a, "model", s, mode, Limits())),
        )
        rows.append(row(f"{path.stem}, one core, without question 5", median(quick), "s", 4, spread(quick)))
        rows.append(row(f"{path.stem}, with its training", median(trained), "s", None, spread(trained)))
    save("grading", rows)


if __name__ == "__main__":
    main()
