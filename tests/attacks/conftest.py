"""Attacks are judged by hundreds: the library's log of each would take longer than the judging."""

import logging

logging.getLogger("pyhanko").setLevel(logging.CRITICAL)
logging.getLogger("pyhanko_certvalidator").setLevel(logging.CRITICAL)
