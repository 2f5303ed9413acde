"""Output files are written completely or not at all, and never over inputs or files of other programs."""

from cxrbench.writing.content import file_sha256, free_name, png_bytes
from cxrbench.writing.own_folder import OwnFolder
from cxrbench.writing.whole import (
    check_targets,
    create_folder,
    draft,
    draft_folder,
    open_text,
    write_bytes,
    write_text,
)

__all__ = [
    "OwnFolder",
    "check_targets",
    "create_folder",
    "draft",
    "draft_folder",
    "file_sha256",
    "free_name",
    "open_text",
    "png_bytes",
    "write_bytes",
    "write_text",
]
