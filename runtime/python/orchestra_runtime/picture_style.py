"""How pictures look. Set before the call whose result is drawn, so that what libraries draw by themselves looks the same."""

from __future__ import annotations

from typing import Any

# Ten colours that stay distinct for colour-blind readers and in grey (M. A. Petroff, arXiv:2107.02270).
COLOURS = ("#3f90da", "#ffa90e", "#bd1f01", "#94a4a2", "#832db6", "#a96b59", "#e76300", "#b9ac70", "#717581", "#92dadd")
SEQUENTIAL, DIVERGING, COUNTS, GREY = "viridis", "RdBu_r", "Blues", "gray"
MAX_LABEL = 40  # characters


def apply(width: float, height: float, dpi: float) -> None:
    """For the whole process: figures that a call makes by pyplot have this size, and no window."""
    import matplotlib
    from cycler import cycler

    matplotlib.use("Agg")
    matplotlib.rcParams.update({
        "figure.figsize": (width, height),
        "figure.dpi": dpi,
        "figure.constrained_layout.use": True,
        "figure.constrained_layout.w_pad": 0.08,
        "figure.constrained_layout.h_pad": 0.08,
        "axes.prop_cycle": cycler(color=COLOURS),
        "axes.titlesize": "medium",
        "axes.axisbelow": True,
        "axes.formatter.useoffset": False,
        "grid.color": "#e4e4e4",
        "legend.frameon": False,
        "image.interpolation": "nearest",
    })  # fmt: skip


def label(value: Any) -> str:
    """A user's text: short, on one line, and no formula even if it has dollar signs."""
    text = " ".join(str(value).split())
    shortened = text if len(text) <= MAX_LABEL else text[: MAX_LABEL - 1] + "…"
    return shortened.replace("$", r"\$")


def open_frame(axes: Any, grid: str = "both") -> None:
    axes.spines[["top", "right"]].set_visible(False)
    axes.grid(axis=grid)
