"""Runs the notebooks as a user would, on a server of the tests."""

import base64
import pathlib
from dataclasses import dataclass

import pytest

HERE = pathlib.Path(__file__).resolve().parent
SOURCE = HERE.parent / "src"
EXAMPLES = HERE.parents[2] / "examples"
PNG = b"\x89PNG\r\n\x1a\n"


@dataclass
class Shown:
    """What stands below the cells of a notebook that ran."""

    text: str
    pictures: list[bytes]


def run(name, server, monkeypatch):
    """Runs `notebooks/<name>.ipynb` with the files of the example of that name; CellExecutionError where a cell fails."""
    nbformat = pytest.importorskip("nbformat")
    nbclient = pytest.importorskip("nbclient")
    pytest.importorskip("ipykernel")
    monkeypatch.setenv("ORCHESTRA_URL", server.url)
    monkeypatch.setenv(f"{name.upper()}_FOLDER", str(EXAMPLES / name))
    monkeypatch.setenv("PYTHONPATH", str(SOURCE))
    notebook = nbformat.read(HERE.parent / "notebooks" / f"{name}.ipynb", as_version=4)
    cells = [cell for cell in notebook.cells if cell.cell_type == "code"]
    assert not any(cell.outputs or cell.execution_count for cell in cells), "notebooks are kept without outputs"
    nbclient.NotebookClient(notebook, timeout=300, kernel_name="python3").execute()
    outputs = [output for cell in cells for output in cell.outputs]
    return Shown("\n".join(_text(output) for output in outputs),
                 [base64.b64decode(output.data["image/png"]) for output in outputs if "image/png" in output.get("data", {})])


def _text(output):
    data = output.get("data", {})
    return str(data.get("text/html", data.get("text/plain", output.get("text", ""))))
