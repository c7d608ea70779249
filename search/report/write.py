"""A report's files in the study's folder."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from search.report.data import StudyReport
from search.report.page import page
from search.report.plot import front_picture


@dataclass(frozen=True)
class Files:
    """Where they were written; the pictures are None where there is no front to draw."""

    page: Path
    png: Path | None
    svg: Path | None


def write_report(report: StudyReport, folder: Path) -> Files:
    """Write report.html, front.png and front.svg into `folder`.

    Raises:
        OSError: the folder cannot be written.
    """
    folder.mkdir(parents=True, exist_ok=True)
    html = folder / "report.html"
    html.write_text(page(report), encoding="utf-8")
    if not report.front:
        return Files(html, None, None)
    png, svg = folder / "front.png", folder / "front.svg"
    png.write_bytes(front_picture(report, "png"))
    svg.write_bytes(front_picture(report, "svg"))
    return Files(html, png, svg)
