"""Every door, for machines and people: HTTP, pages and the command line."""
