"""Odd CSV files: the cells that a dataset has, beside those that DuckDB, pandas and Arrow read from the same file."""

import io
import random

import duckdb
import pandas
import pyarrow.csv
import pytest
from support import unique

FILES = {
    "simple": "a,b,c\n1,2,3\n",
    "simple with carriage returns": "a,b,c\r\n1,2,3\r\n",
    "only carriage returns": "a,b\r1,2\r3,4\r",
    "no line end at the end": "a,b\n1,2",
    "comma in quotes": 'first,last,address\nJohn,Doe,"120 any st., Anytown, WW"\n',
    "empty cells": 'a,b,c\n1,"",""\n,,3\n',
    "doubled quotes": 'a,b\n1,"ha ""ha"" ha"\n""""""," "\n',
    "JSON": 'key,val\n1,"{""type"": ""Point"", ""coordinates"": [102.0, 0.5]}"\n',
    "line ends in quotes": 'a,b,c\n1,2,3\n"Once upon \na time",5,6\n7,"8\n\n9",10\n',
    "carriage returns in quotes": 'a,b\r\n"x\r\ny",1\r\n',
    "quotes and line ends": 'a,b\n1,"ha \n""ha"" \nha"\n3,4\n',
    "other scripts": "a,b,c\n1,2,3\n4,5,ʤ\n日本,😀,Ω\n",
    "byte order mark": "\ufeffa,b\n1,2\n",
    "empty lines": "a,b\n\n1,2\n\n\n3,4\n\n",
    "one column": "a\nx\ny\n",
    "one column with an empty cell": 'a\nx\n""\ny\n',
    "only a header": "a,b\n",
    "spaces": "a,b\n 1 , x y\n",
    "a quote within a cell": "a,b\n5\" nail,it's\n",
    "a quote after a space": 'a,b\n "x",y\n',
    "more after the closing quote": 'a,b\n"x"y,1\n',
    "numbers as they are": "a,b\n007,1e5\n1.10,-0\n",
    "words for nothing": "a,b\nNA,null\nNaN,None\n",
    "long cells": f"a,b\n{'x' * 100_000},1\n2,{'y' * 100_000}\n",
    "wide": ",".join(f"c{i}" for i in range(1_000)) + "\n" + ",".join(map(str, range(1_000))) + "\n",
}

# What they make of it otherwise, and why we do not.
DIFFERENCES = {
    ("a quote after a space", "DuckDB"): "it drops the space and takes the quotes for quotes; RFC 4180 says that spaces belong to the cell",
    ("more after the closing quote", "DuckDB"): "it refuses the file; we keep what is written, as pandas and Arrow do",
}


def ours(server, content):
    name = unique("odd")
    answer = server.upload(name, content, delimiter=",", encoding="utf-8")
    assert answer.status_code == 201, answer.text
    fields = server.finished(name)["fields"]
    return [[row[field] for field in fields] for row in server.rows(name, limit=1000)]


def of_duckdb(content, path):
    path.write_bytes(content)
    relation = duckdb.read_csv(str(path), all_varchar=True, header=True, delimiter=",", quotechar='"', escapechar='"')
    return [["" if cell is None else cell for cell in row] for row in relation.fetchall()]


def of_pandas(content, _):
    return pandas.read_csv(io.BytesIO(content), dtype=str, keep_default_na=False).values.tolist()


def of_arrow(content, _):
    names = pyarrow.csv.read_csv(io.BytesIO(content), parse_options=pyarrow.csv.ParseOptions(newlines_in_values=True)).column_names
    table = pyarrow.csv.read_csv(
        io.BytesIO(content), parse_options=pyarrow.csv.ParseOptions(newlines_in_values=True),
        convert_options=pyarrow.csv.ConvertOptions(column_types=dict.fromkeys(names, pyarrow.string()), strings_can_be_null=False))
    return [list(row) for row in zip(*(column.to_pylist() for column in table.columns))]


READERS = {"DuckDB": of_duckdb, "pandas": of_pandas, "Arrow": of_arrow}


def read_by(reader, content, path):
    try:
        return READERS[reader](content, path)
    except Exception as refused:
        return f"refused: {refused}"


@pytest.mark.parametrize("reader", READERS)
@pytest.mark.parametrize("file", FILES)
def test_the_same_cells_or_a_stated_difference(shared, tmp_path, file, reader):
    content = FILES[file].encode()
    mine, theirs = ours(shared, content), read_by(reader, content, tmp_path / "odd.csv")
    if (file, reader) in DIFFERENCES:
        assert theirs != mine, "no longer a difference"
    else:
        assert theirs == mine


def generated(chance):
    columns, end = chance.randint(2, 5), chance.choice(["\n", "\r\n"])
    plain = ["a", "Ω", "1", ".5", "-", "b c", "x" * 70]
    quoted = ["a", '""', ",", "\n", " ", "é", "end"]

    def cell():
        if chance.random() < 0.6:
            return "".join(chance.choices(plain, k=chance.randint(1, 4)))
        return '"' + "x" + "".join(chance.choices(quoted, k=chance.randint(0, 6))) + '"'

    lines = [",".join(f"c{i}" for i in range(columns))]
    lines += [",".join(cell() for _ in range(columns)) for _ in range(chance.randint(1, 300))]
    return end.join(lines + [""]).encode()


@pytest.mark.parametrize("seed", range(12))
def test_generated_files_have_the_same_cells(shared, tmp_path, seed):
    content = generated(random.Random(seed))
    mine = ours(shared, content)
    for reader in READERS:
        assert read_by(reader, content, tmp_path / "odd.csv") == mine, reader
