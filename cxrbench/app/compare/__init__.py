"""The Compare page: one radiograph, for several models, methods and findings side by side."""
