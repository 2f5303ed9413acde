"""What Python sends to the canvas: one type per JSON object, as in schema.js."""

from typing import Literal, TypedDict

__all__ = ["ColourData", "MapData", "PanelData", "PictureData", "SceneData", "TruthData"]


class PictureData(TypedDict):
    """The radiograph.

    Args:
        src: a PNG as a data URL.
        width: in pixels, like all lengths below.
        height: in pixels.
    """

    src: str
    width: int
    height: int


class MapData(TypedDict):
    """One map on its own grid.

    Args:
        kind: of number in ``data``: little-endian floats, or whole multiples of ``step``.
        width: of the grid.
        height: of the grid.
        box: where the grid lies over the picture: left, top, right, bottom, in pixels of the picture.
        step: what the whole numbers are multiples of; 1 for floats.
        data: rows from the top, in base 64.
    """

    kind: Literal["f32", "i16"]
    width: int
    height: int
    box: tuple[float, float, float, float]
    step: float
    data: str


class TruthData(TypedDict):
    """What the known truth says of a map.

    Args:
        text: one line below the picture.
        about: what it means, shown when one points at it or opens it.
    """

    text: str
    about: str


class PanelData(TypedDict):
    """One panel.

    Args:
        id: unique in the scene, and the same for the same content.
        kind: whether it has a map, or will have one.
        title: first line of the heading.
        subtitle: second line.
        group: maps of one group share a scale where the reader chooses one scale per method.
        facts: below the picture.
        truth: what the known extent of the finding says of the map; None where it is not known.
        notes: warnings.
        alt: what the picture shows, for those who do not see it.
        outline: of the true extent: polygons of (x, y) in pixels of the picture; None without one.
        finding: whose extent is outlined, and whose map it is.
        progress: in [0, 1] while the map is computed, else None.
        map: None if there is none yet, or never.
        peak: relevance at full colour on the map's own scale.
        signed: whether the map has negative values.
        first: begins a row.
        rows: number of rows that it spans, at the left of the panels that follow; 1 for all but a radiograph
            that several rows share.
        dimmed: drawn faintly, since the model does not call the finding.
        opacity: until the reader chooses one; None: as the other maps.
        fixed: whether the peak holds whatever scale the reader chooses.
        colours: name of its own colour table; else empty.
        picture: what lies under the map: place among the scene's ``others``; None for its ``picture``.
    """

    id: str
    kind: Literal["radiograph", "map"]
    title: str
    subtitle: str
    group: str
    facts: list[str]
    truth: TruthData | None
    notes: list[str]
    alt: str
    outline: list[list[tuple[float, float]]] | None
    finding: str
    progress: float | None
    map: MapData | None
    peak: float
    signed: bool
    first: bool
    rows: int
    dimmed: bool
    opacity: float | None
    fixed: bool
    colours: str
    picture: int | None


class ColourData(TypedDict):
    """One colour table.

    Args:
        title: in the menu.
        diverging: for signed maps.
        table: 256 × 3 bytes in base 64.
    """

    title: str
    diverging: bool
    table: str


class SceneData(TypedDict):
    """All that the canvas shows.

    Args:
        picture: the radiograph.
        others: further pictures of its size, for panels that name them.
        panels: in the order of reading.
        shared: what holds for all maps, said once above the panels.
        columns: panels per row, at most.
        colours: tables by name.
        scales: key → what is said of it.
        link: query parameters that bring this back; None if nothing can.
        unlinkable: what is said where there is no link.
        file: name of the saved picture, without its ending.
        disclaimer: below the saved picture.
        follows: whether the scene has no controls of its own and is drawn as the page's other scene.
        presenter: whether it is for a projector: with few controls, and larger pictures.
        asked: whether the canvas tells the server how it is drawn, once when this becomes true.
    """

    picture: PictureData
    others: list[PictureData]
    panels: list[PanelData]
    shared: list[str]
    columns: int
    colours: dict[str, ColourData]
    scales: dict[str, str]
    link: list[tuple[str, str]] | None
    unlinkable: str
    file: str
    disclaimer: str
    follows: bool
    presenter: bool
    asked: bool
