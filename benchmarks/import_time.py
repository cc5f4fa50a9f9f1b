"""What does `import gm_lab` add to `import torch`, and how long is the way to the gm-lab command?"""

import subprocess
import sys
from statistics import median

from benchmarks.common import in_turns, row, save, spread

REPEATS = 9


def seconds(first: str, then: str) -> float:
    """Time of the second import after the first, in a fresh interpreter."""
    program = (
        f"import time; import {first}; t = time.perf_counter(); import {then}; print(time.perf_counter() - t)"
    )
    return float(subprocess.run([sys.executable, "-c", program], capture_output=True, check=True).stdout)


def main() -> None:
    package, training, command = in_turns(
        REPEATS,
        lambda: seconds("torch", "gm_lab"),
        lambda: seconds("torch", "gm_lab.train, gm_lab.vae"),
        lambda: seconds("sys", "gm_lab.cli"),
    )
    save(
        "import_time",
        [
            row("import gm_lab, after torch", median(package), "s", 0.3, spread(package)),
            row(
                "import gm_lab.train and gm_lab.vae, after torch",
                median(training),
                "s",
                0.3,
                spread(training),
            ),
            row("import gm_lab.cli, which needs no torch", median(command), "s", None, spread(command)),
        ],
    )


if __name__ == "__main__":
    main()
