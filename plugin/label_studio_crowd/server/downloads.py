"""The tables of a project as files, for the links on its pages."""

from __future__ import annotations

from typing import Final, Literal

from fastapi import APIRouter
from starlette.exceptions import HTTPException
from starlette.responses import Response

from label_studio_crowd.files.tables import TABLES, available_formats, table_bytes, tables
from label_studio_crowd.server.pages import ProjectPage

router = APIRouter(include_in_schema=False)

_KINDS: Final = {
    "csv": "text/csv; charset=utf-8",
    "json": "application/json",
    "parquet": "application/vnd.apache.parquet",
}


@router.get("/projects/{project}/tables/{name}.{ending}")
def download_table(frame: ProjectPage, name: str, ending: Literal["csv", "json", "parquet"]) -> Response:
    """Send a table of what the last run believed, of all controls; with pseudonyms where names are hidden."""
    if name not in TABLES:
        raise HTTPException(404, f"There is no table {name[:40]!r}; there are {', '.join(TABLES)}.")
    if f".{ending}" not in available_formats():
        raise HTTPException(404, "Parquet needs pyarrow, which this server does not have: ask for .csv or .json.")
    if frame.whole is None:
        raise HTTPException(404, f"Project {frame.project} has had no run yet: ask again later.")
    found = tables(frame.whole, frame.stored.people.names(), hidden=frame.hidden).by_name()[name]
    headers = {
        "Content-Disposition": f'attachment; filename="project-{frame.project}-{name}.{ending}"',
        "Cache-Control": "private, no-cache",
    }
    return Response(table_bytes(found, f".{ending}"), media_type=_KINDS[ending], headers=headers)
