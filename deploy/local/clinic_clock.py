"""Where clinic time goes on when the house is started again, perhaps at another speed."""

from datetime import datetime, timedelta

_NEARLY_ONE = 1.01
_TOLERANCE = timedelta(seconds=5)


def resume(speed: float, now: datetime, reached: datetime | None) -> tuple[float, datetime]:
    """The speed to run at, and the instant at which clinic and machine time agreed, or would have.

    `reached` is the clinic time at which the last run ended: appointments and timers lie around it, so time
    goes on from there rather than jumping back. None, or a time that the machine's clock has passed: both
    clocks agree now. At speed 1 two clocks never meet, so clinic time that is ahead runs 1 % fast instead.
    """
    if reached is None or reached <= now + _TOLERANCE:
        return speed, now
    if speed == 1.0:
        speed = _NEARLY_ONE
    # clinic = origin + (now - origin) * speed, solved for the origin at clinic = reached
    return speed, now - (reached - now) / (speed - 1)


def clinic_time(speed: float, origin: datetime, now: datetime) -> datetime:
    """What the clinic's calendar shows at machine time `now`."""
    return origin + (now - origin) * speed
