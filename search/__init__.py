"""Finding, never deciding. Not built yet: this package is a signpost until the search issue."""
