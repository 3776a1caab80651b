"""Legal days: rules, validity and dossier codes are dated by the day in Vietnam (UTC+7, no summer time)."""

from datetime import date, datetime, timedelta, timezone

VIETNAM = timezone(timedelta(hours=7), "Asia/Ho_Chi_Minh")


def legal_day(at: datetime) -> date:
    """Give the calendar day in Vietnam of an aware instant."""
    return at.astimezone(VIETNAM).date()
