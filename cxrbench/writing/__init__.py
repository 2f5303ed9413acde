"""Output files are written whole or not at all, never over an input or over other programs' files."""

from cxrbench.writing.content import file_sha256, free_name, png_bytes
from cxrbench.writing.own_folder import OwnFolder
from cxrbench.writing.whole import check_targets, draft, draft_folder, open_text, write_bytes, write_text

__all__ = [
    "OwnFolder",
    "check_targets",
    "draft",
    "draft_folder",
    "file_sha256",
    "free_name",
    "open_text",
    "png_bytes",
    "write_bytes",
    "write_text",
]
