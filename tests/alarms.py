"""An audit of innocent rows cries wolf once in twenty; a test may not."""

from contextlib import contextmanager

from tuckpoint.measure.limits import AUDIT


@contextmanager
def no_false_alarms():
    """Audits at a level of one in five thousand: innocent rows pass on every machine, and leaky ones still do not."""
    held = AUDIT.level
    object.__setattr__(AUDIT, "level", 2e-4)
    try:
        yield
    finally:
        object.__setattr__(AUDIT, "level", held)
