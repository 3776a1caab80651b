"""All state and every operation; the only package that knows SQL."""
