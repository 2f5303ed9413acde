"""What all pages share behind their widgets: models, radiographs, jobs, cached results."""
