"""Bytes under keys: where the sealed content of records lies, and how it is sealed."""
