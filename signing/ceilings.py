"""Every ceiling on what is taken from outside, in one place; docs/survive.md says them to an operator.

A file above one of them is refused by name before anything is drawn, sealed or stored. They are chosen from
honest papers: the largest scan that an office makes is A0 at 300 dpi in colour (140 million pixels).
"""

MEBIBYTE = 2**20

# Of the file as it lies there; its size itself is vault.services.MAX_UPLOAD.
MOST_REVISIONS = 51  # ends of file: 50 revisions, one end more where the first is laid out for the web
MOST_OBJECTS = 300_000
MOST_NODES = 3_000_000  # values inside all objects together
DEEPEST = 200  # containers within containers
MOST_PAGES = 5_000

# Of what its streams become when they are unpacked, in bytes: after every filter of every chain.
STREAM_INFLATED = 64 * MEBIBYTE
IMAGE_INFLATED = 256 * MEBIBYTE  # one picture: A3 at 600 dpi in colour is 209 MB
FILE_INFLATED = 1024 * MEBIBYTE  # all streams together
MOST_FILTERS = 4  # in one chain
PREDICTOR_ROW = 4 * MEBIBYTE
LZW_PACKED = 4 * MEBIBYTE  # all LZW streams together, packed: they are unpacked slowly
ASCII85_PACKED = 4 * MEBIBYTE  # all of them together, as before
IMAGE_PIXELS = 200_000_000  # as declared, and as the picture itself says

# Of single things.
SIGNATURE_CONTENTS = MEBIBYTE  # bytes of /Contents of one signature; real ones have some 30 KB
PAGE_SIDE = 14_400.0  # points, in user units: 5.08 m (ISO 32000-1, C.2)
MOST_DRAWINGS = 1_000_000  # by one page, what lies within counted as often as it is drawn (drawings.py)
METADATA = 16 * MEBIBYTE  # bytes of one description (XMP)
ATTACHED_XML = MEBIBYTE  # bytes of a declared, associated XML file

# What counts as one drawing, so that the most of them is the work of seconds.
CONTENT_A_DRAWING = 256  # bytes of content
PIXELS_A_DRAWING = 2_000
STEPS_A_DRAWING = 1_000  # of functions that give colours
MESH_A_DRAWING = 64  # bytes of a shading that is a mesh
