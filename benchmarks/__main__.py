"""`python -m benchmarks` runs every benchmark; `python -m benchmarks train_loop` those that are named."""

import importlib
import pkgutil
import sys

import benchmarks

NOT_BENCHMARKS = {"__main__", "common"}

found = sorted({module.name for module in pkgutil.iter_modules(benchmarks.__path__)} - NOT_BENCHMARKS)
unknown = set(sys.argv[1:]) - set(found)
if unknown:
    sys.exit(f"there is no benchmark {', '.join(sorted(unknown))}; there are {', '.join(found)}")
for name in sys.argv[1:] or found:
    importlib.import_module(f"benchmarks.{name}").main()
