"""The mark of a digitised copy: what it says; `scan_archiving` puts it above the paper.

Nghị định 137/2024/NĐ-CP, Điều 4: words that the paper was converted, the time, the converter's full name;
Nghị định 30/2020/NĐ-CP, Phụ lục I: at the top right of page 1, text only, 10 pt black, the time in ISO 8601.
"""

from datetime import datetime, timedelta, timezone

from signing.composing import compose

_VIETNAM = timezone(timedelta(hours=7))


def compose_mark(agency: str, converter: str, at: datetime, qr: str | None = None) -> bytes:
    """Compose the mark as a PDF page of its own size; a second page holds the QR code.

    Args:
        agency: whose officer converts; shown as it is.
        converter: the officer's full name.
        at: aware; shown to the second with the zone of Viet Nam.
        qr: the code as a drawing (`qr.qr_drawing`).

    Raises:
        ComposingFailed: a name is empty, too long or no text.
    """
    shown = at.astimezone(_VIETNAM).isoformat(timespec="seconds")
    fields = {"agency": agency, "converter": converter, "converted_at": shown, "qr": qr}
    return compose("conversion_mark", fields, at=at)
