"""DICOM → the grey image that a viewer would show."""

from cxrbench.data.dicom.picture import decode_dicom
from cxrbench.data.dicom.windows import window

__all__ = ["decode_dicom", "window"]
