"""Templates of 8 × 8 cells that tell whether a film is inverted, upside down or lateral, or shows no chest.

Fitted by `train/film_templates.py` on phantoms in random looks. A cell of a rule is positive where the film
that it recognises is brighter than others; a cell of a mean is positive where a chest film is bright.
"""

from dataclasses import dataclass
from typing import Final

import cv2
import numpy as np

__all__ = ["CELLS", "INVERTED", "LATERAL", "UPSIDE_DOWN", "Template", "chest_likeness", "thumbnail"]

CELLS: Final = 8  # per side


@dataclass(frozen=True, eq=False)
class Template:
    """A linear rule on thumbnails.

    Args:
        cells: (8, 8) weights.
        offset: added to the weighted sum.
    """

    cells: np.ndarray
    offset: float = 0.0

    def matches(self, image: np.ndarray) -> bool:
        """Whether the weighted sum of a thumbnail (8, 8) and the offset is positive."""
        return bool((self.cells * image).sum() + self.offset > 0)


def thumbnail(film: np.ndarray) -> np.ndarray:
    """A film as 8 × 8 cells that hold the ranks of their brightness, so that its exposure does not matter.

    Args:
        film: (H, W) in [0, 1].

    Returns:
        (8, 8) of mean 0 and norm 1; all 0 where every cell is equally bright.
    """
    cells = cv2.resize(np.asarray(film, np.float32), (CELLS, CELLS), interpolation=cv2.INTER_AREA)
    # Cells that differ by rounding only, as on a plain border, share a rank.
    _, places, counts = np.unique(np.round(cells.ravel(), 4), return_inverse=True, return_counts=True)
    ranks = (np.cumsum(counts) - (counts - 1) / 2)[places].reshape(CELLS, CELLS)
    centred = ranks - ranks.mean()
    norm = float(np.linalg.norm(centred))
    unit: np.ndarray = centred / norm if norm else centred
    return unit


def chest_likeness(image: np.ndarray) -> float:
    """Correlation of a thumbnail (8, 8) with the mean chest film that it is most like, in [0, 1].

    The means are those of frontal and of lateral films, upright or upside down, inverted or not.
    """
    means = [mean / np.linalg.norm(mean) for mean in (_FRONTAL_MEAN, _LATERAL_MEAN, _LATERAL_MEAN[:, ::-1])]
    return max(abs(float((way * image).sum())) for mean in means for way in (mean, mean[::-1]))


def _cells(text: str) -> np.ndarray:
    return np.array(text.split(), float).reshape(CELLS, CELLS)


INVERTED: Final = Template(
    _cells("""
     44  31 -31 -17 -17 -31  31  44
      2  19  12   2   2  12  19   2
    -39 -41  53 -38 -38  53 -41 -39
     29  31  24   8   8  24  31  29
     -5  -9  50  -1  -1  50  -9  -5
     64 -16  14 -54 -54  14 -16  64
    -43   1 -41 -26 -26 -41   1 -43
     61  71 -99 -56 -56 -99  71  61
    """)
)
UPSIDE_DOWN: Final = Template(
    _cells("""
    -36  68  55   1   1  55  68 -36
    -17  -9  75  99  99  75  -9 -17
    -57 -51  48  39  39  48 -51 -57
    -12  28   6 -11 -11   6  28 -12
     12 -28  -6  11  11  -6 -28  12
     57  51 -48 -39 -39 -48  51  57
     17   9 -75 -99 -99 -75   9  17
     36 -68 -55  -1  -1 -55 -68  36
    """)
)
LATERAL: Final = Template(
    _cells("""
    -11   6   6  16  16   6   6 -11
      2  43 -15   1   1 -15  43   2
    -67 -10  85 -26 -26  85 -10 -67
      8  35  33 -99 -99  33  35   8
    -12  21  34 -10 -10  34  21 -12
      6   1  -6 -49 -49  -6   1   6
     -1  21 -13 -27 -27 -13  21  -1
     26 -10 -27  37  37 -27 -10  26
    """),
    offset=10.6,
)
_FRONTAL_MEAN: Final = _cells("""
    -61 -46 -35  -5  -5 -35 -46 -61
    -26  -7 -23  28  28 -23  -7 -26
    -19  -9 -38  41  41 -38  -9 -19
    -34 -28 -37  60  60 -37 -28 -34
    -46 -32 -18  77  77 -18 -32 -46
    -52 -16  20  89  89  20 -16 -52
    -46  16  63  99  99  63  16 -46
    -46  11  50  69  69  50  11 -46
    """)
_LATERAL_MEAN: Final = _cells("""
    -95 -74 -16  12  26  41   5 -66
    -83 -24  41  25   1  60  65 -34
    -64   2  41 -18 -19  37  71 -35
    -49   6   1 -45 -44  11  58 -39
    -43   7   1 -16 -49  -4  46 -48
    -51   0  23  11 -42 -15  23 -52
    -49  11  68  73  46  28  25 -45
    -52   5  69  92  99  73  18 -49
    """)
