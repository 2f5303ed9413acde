"""The build step that copies into the wheel what lies beside the package in a checkout.

setuptools calls it: see ``[tool.setuptools.cmdclass]`` in pyproject.toml. The files keep their layout below
``cxrbench/shipped``, where ``cxrbench.assets`` finds them. An editable install copies nothing. The other
models would make the wheel too large.
"""

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from setuptools.command.build_py import build_py

SHIPPED: Final = (
    "streamlit_app.py",
    ".streamlit/config.toml",
    "assets/gallery/**/*",
    "assets/healthy/*",
    "assets/judged/*",
    "assets/lessons/*",
    "assets/locations/*",
    "assets/lungs/*",
    "assets/models/efficientnet_b0/*",
    "train/configs/*.toml",
)


class BuildPackage(build_py):  # type: ignore[misc]  # setuptools leaves its type open
    """Build the package, and copy the shipped files into it."""

    def run(self) -> None:
        """Build into an empty folder: modules that were removed since the last build must not come back."""
        if not self.editable_mode:
            shutil.rmtree(Path(self.build_lib, "cxrbench"), ignore_errors=True)
        super().run()
        if not self.editable_mode:
            for source, target in self._shipped():
                self.mkpath(str(target.parent))
                self.copy_file(str(source), str(target))

    def get_outputs(self, include_bytecode: bool = True) -> list[str]:
        """What a build writes."""
        shipped = [] if self.editable_mode else [str(target) for _, target in self._shipped()]
        return [*super().get_outputs(include_bytecode), *shipped]

    def get_source_files(self) -> list[str]:
        """What a source distribution must hold for a build of it."""
        return [*super().get_source_files(), "scripts/build_wheel.py", *(str(s) for s, _ in self._shipped())]

    def _shipped(self) -> Iterator[tuple[Path, Path]]:
        """Each shipped file: where it is, relative to the checkout, and where it goes."""
        for pattern in SHIPPED:
            for source in sorted(Path().glob(pattern)):
                if source.is_file() and not source.name.startswith("."):
                    yield source, Path(self.build_lib, "cxrbench", "shipped", source)
