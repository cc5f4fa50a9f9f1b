"""Side-by-side measurements: `python -m benchmarks` writes `benchmarks/results/NAME.json`."""
