"""Finding, never deciding: Vietnamese words, one query model, an index on several back ends (DESIGN 4, 9)."""
