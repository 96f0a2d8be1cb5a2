"""Every benchmark, one after the other."""

from __future__ import annotations

from benchmarks import size, start

if __name__ == "__main__":
    start.main()
    size.main([1_000, 100_000])
