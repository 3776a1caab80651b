"""What /readyz says by a look of its own: an answer is kept for a moment, and given again."""

import time
from typing import Any

from reuse_api.health import KEPT


def readyz(client: Any) -> Any:
    """Ask once whatever was kept is over."""
    time.sleep(KEPT)
    return client.get("/readyz")
