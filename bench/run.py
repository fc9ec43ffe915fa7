"""./orchestra bench [NAME...]: each measurement next to what it is compared with, in one run on one machine.

Prints a table: median, spread (least to most) and ratio. Nothing is asserted here.
"""

import argparse
import pathlib
import statistics
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "tests"))

import datasets
import footprint
import imdb
import large
import memory
import mnist
import noop
import observers
import recovery
import rivals
import scale
import servers
import titanic
import tools

BENCHMARKS = {each.__name__: each.run
              for each in (memory, footprint, noop, rivals, scale, recovery, observers, servers, datasets, large, tools, titanic, imdb, mnist)}


def show(rows):
    """rows: (what, [values], unit, bound or ""); without values, why there are none instead of the bound"""
    width = max(len(row[0]) for row in rows)
    print(f"{'':{width}}  {'median':>9}  {'spread':>19}  bound")
    for what, values, unit, bound in rows:
        if not values:
            print(f"{what:{width}}  {bound}")
            continue
        median = statistics.median(values)
        print(f"{what:{width}}  {median:>6.2f} {unit:<2}  {min(values):>8.2f} – {max(values):<8.2f}  {bound}")


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME")
    for name in parser.parse_args().names or BENCHMARKS:
        print(f"\n{name}: {BENCHMARKS[name].__doc__}")
        show(BENCHMARKS[name]())


main()
