"""What bench/datasets does to its table, in every tool."""

ROWS = 4_000_000  # of 12 columns: some 350 MB of CSV
PROJECTED = ["id", "name", "fare"]
TYPED = {"id": "integer", "a": "number", "fare": "number", "age": "number"}
DRAWN = ["port", "code"]
