"""The label table of a phantom data set, without rendering an image."""

import numpy as np
import pandas as pd

from cxrbench.data.phantom.anatomy import Patient, draw_patient
from cxrbench.data.phantom.plan import plan
from cxrbench.data.studies import COLUMNS, Studies
from cxrbench.labels import CHEXPERT

__all__ = ["planned_studies"]


def planned_studies(patients: int, *, split: str = "train", seed: int = 0) -> Studies:
    """The frontal images of a phantom data set and the labels of the labeller, without rendering.

    Args:
        patients: number of patients of the whole data set.
        split: "train", "valid" or "test".
        seed: of the data set; ``cxrbench phantom`` with the same seed renders the same patients.

    Returns:
        One row per frontal image; paths are relative to the folder that the data set would have.
    """
    rows: list[dict[str, object]] = []
    bodies: dict[int, Patient] = {}
    for study in plan(patients, seed=seed):
        if study.split != split:
            continue
        body = bodies[study.seed] = bodies.get(study.seed) or draw_patient(study.seed)
        rows.append(
            {
                "path": study.path,
                "patient": f"patient{study.patient:05d}",
                "study": str(study.number),
                "view": "frontal",
                "projection": study.view,
                "sex": body.sex,
                "age": float(body.age),
                **study.labels,
            }
        )
    table = pd.DataFrame(rows).reindex(columns=[*COLUMNS, *CHEXPERT])
    return Studies(table.astype(dict.fromkeys(CHEXPERT, np.float64)), CHEXPERT, "phantom")
