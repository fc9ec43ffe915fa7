"""datasets_rivals.py TOOL WORK FROM TO: one piece of work on a table, there. Prints the seconds it took, without starting Python and the tool."""

import sys
import time

import datasets_work as work

GENERATED = f"""
select i as id, any(1, 1000003) as a, any(2, 800) / 10.0 as age, ['Southampton', 'Cherbourg', 'Queenstown'][any(3, 3) + 1] as port,
  ['male', 'female'][any(4, 2) + 1] as sex, 'Name, Mr. ' || any(5, 999983) as name, case when any(6, 5) = 0 then 'C' || any(7, 97) end as cabin,
  any(8, 499979) as b, any(9, 3) = 0 as flag, any(10, 99991) / 4.0 as fare, date '2020-01-01' + any(11, 2000)::integer as day,
  any(12, 1000) as code
from range(1, {work.ROWS + 1}) t(i)
""".replace("any(", "any_of(i, ")
ANY = "create macro any_of(i, which, below) as (hash(i * 16 + which) % below)::bigint"  # the same in every run
PARQUET = "(format parquet, compression zstd, compression_level 1)"


def duckdb_work(name, source, target):
    import duckdb

    connection = duckdb.connect(config={"threads": 2})
    connection.execute(ANY)
    columns = ", ".join(work.PROJECTED)
    casts = ", ".join(f"cast({field} as {({'integer': 'bigint', 'number': 'double'})[kind]}) as {field}" for field, kind in work.TYPED.items())
    copies = {
        "generate": f"copy ({GENERATED}) to '{target}' (format csv, header)",
        "strings": f"copy (select * from read_csv('{source}', all_varchar = true)) to '{target}' {PARQUET}",
        "infer": f"copy (select * from read_csv('{source}')) to '{target}' {PARQUET}",
        "project": f"copy (select {columns} from read_parquet('{source}')) to '{target}' {PARQUET}",
        "csv": f"copy (select * from read_parquet('{source}')) to '{target}' (format csv, header)",
        "type": f"copy (select * replace ({casts}) from read_parquet('{source}')) to '{target}' {PARQUET}",
    }
    if name in copies:
        return timed(lambda: connection.execute(copies[name]))
    if name == "profile":
        return timed(lambda: connection.execute(f"summarize select * from read_parquet('{source}')").fetchall())
    return timed(lambda: [connection.execute(f"select {field}, count(*) n from read_parquet('{source}') group by 1 order by n desc, 1").fetchall()
                          for field in work.DRAWN])


def polars_work(name, source, target):
    import polars

    if name == "profile":
        return timed(lambda: polars.read_parquet(source).describe())
    if name == "csv":
        return timed(lambda: polars.scan_parquet(source).sink_csv(target))
    strings = {"infer_schema": False} if name == "strings" else {}
    return timed(lambda: polars.scan_csv(source, **strings).sink_parquet(target, compression="zstd", compression_level=1))


def timed(do):
    start = time.perf_counter()
    do()
    return time.perf_counter() - start


tool, *arguments = sys.argv[1:]
print({"duckdb": duckdb_work, "polars": polars_work}[tool](*arguments))
