"""The folder of a judging run: its settings, one Parquet file per film and model, and all of them in one."""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from cxrbench.errors import InputError
from cxrbench.writing import OwnFolder, draft

__all__ = ["JUDGED", "SUMMARY", "JudgeFolder"]

JUDGED: Final = "judged.parquet"
SUMMARY: Final = "summary.csv"
_SETTINGS: Final = "judge.json"
_FILMS: Final = "films"
_ROWS: Final = 20_000  # of a row group of the joined file: what is held at a time

_SCHEMA: Final = pa.schema(
    [
        *((name, pa.string()) for name in ("method", "finding", "criterion")),
        *((name, pa.float64()) for name in ("value", "best")),
        *((name, pa.string()) for name in ("model", "film")),
        ("patient", pa.int64()),
    ]
)


class JudgeFolder:
    """A folder that holds the results of one set of settings and weights, whatever the number of films.

    Args:
        folder: created with the first file.
        models: names.
        settings: what the results depend on, as JSON.
    """

    def __init__(self, folder: Path, models: Sequence[str], settings: Mapping[str, Any]) -> None:
        self.folder, self.models = folder, tuple(models)
        self.settings = settings
        self.own = OwnFolder(folder)

    def check(self, *, force: bool) -> None:
        """Check that the folder is free, or holds results of the same settings.

        Raises:
            InputError: it holds results of others, or files that a judging run did not write.
        """
        if force:
            return
        if different := self._different():
            raise InputError(
                f"{self.folder} holds results of other settings ({', '.join(different)}); choose another "
                "--out, or add --force to judge again."
            )
        if self._stored() is None and any(self._films()):
            raise InputError(
                f"{self.folder / _FILMS} holds films of which {_SETTINGS} is missing; choose another --out, "
                "or add --force to judge again."
            )
        self.own.check([JUDGED, SUMMARY, *(() if self._stored() else (_SETTINGS,))])

    def claim(self) -> None:
        """Write the settings; films of other settings are removed. Checked before."""
        stored = self._stored()
        if stored is None or self._different():
            for path in self._films():
                path.unlink()
        self.folder.mkdir(parents=True, exist_ok=True)
        self.own.write_text(_SETTINGS, json.dumps(dict(self.settings), indent=1) + "\n")

    def film(self, model: str, number: int) -> Path:
        """The file of one film judged by one model."""
        return self.folder / _FILMS / model / f"{number:05d}.parquet"

    def missing(self, numbers: Iterable[int]) -> list[int]:
        """Those of some films that a model has not judged yet."""
        return [
            number
            for number in numbers
            if not all(self.film(model, number).is_file() for model in self.models)
        ]

    def count(self, films: int) -> int:
        """How many files of the first films there are, over all models."""
        return sum(self.film(model, number).is_file() for model in self.models for number in range(films))

    def write_film(self, model: str, number: int, rows: Sequence[Mapping[str, Any]]) -> None:
        """Write the rows of one film: whole, or not at all."""
        path = self.film(model, number)
        path.parent.mkdir(parents=True, exist_ok=True)
        with draft(path) as temporary:
            pq.write_table(pa.Table.from_pylist(list(rows), schema=_SCHEMA), temporary)

    def join(self, films: int) -> Path:
        """Write the rows of all films to one file, model by model, holding a row group of them at a time."""
        with (
            self.own.draft(JUDGED) as temporary,
            pq.ParquetWriter(temporary, _SCHEMA) as writer,
        ):
            waiting: list[pa.Table] = []
            for table in self._tables(films):
                waiting.append(table)
                if sum(map(len, waiting)) >= _ROWS:
                    writer.write_table(pa.concat_tables(waiting))
                    waiting = []
            writer.write_table(pa.concat_tables([_SCHEMA.empty_table(), *waiting]))
        return self.folder / JUDGED

    def rows(self, model: str) -> pd.DataFrame:
        """The rows of one model from the joined file; strings are categories, which need less memory."""
        strings = [field.name for field in _SCHEMA if field.type == pa.string()]
        table = pq.read_table(self.folder / JUDGED, read_dictionary=strings, filters=[("model", "=", model)])
        rows: pd.DataFrame = table.to_pandas()
        return rows

    def write_summary(self, summary: pd.DataFrame) -> None:
        """Write the summary of the results."""
        self.own.write_text(SUMMARY, summary.to_csv(index=False))

    def _tables(self, films: int) -> Iterator[pa.Table]:
        for model in self.models:
            for number in range(films):
                path = self.film(model, number)
                yield pq.read_table(path, partitioning=None).select(_SCHEMA.names).cast(_SCHEMA)

    def _stored(self) -> dict[str, Any] | None:
        """The settings of the results that are there; None if there are none."""
        try:
            stored = json.loads((self.folder / _SETTINGS).read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return None
        return stored if isinstance(stored, dict) else None

    def _different(self) -> list[str]:
        """Names of the settings in which the results that are there differ."""
        stored = self._stored()
        if stored is None:
            return []
        return [key for key, value in self.settings.items() if stored.get(key) != value]

    def _films(self) -> Iterator[Path]:
        return (self.folder / _FILMS).glob("**/" + "[0-9]" * 5 + ".parquet")
