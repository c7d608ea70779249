"""What all tests share: Ctrl-C, and how Hypothesis draws its examples.

No profile has a time limit: how long an example takes says something about the computer, not about the code.

    default  new random examples in each run; what failed once is tried first the next time (.hypothesis/)
    ci       the same examples in each run, so that a change is judged by itself; where CI is set
"""

from __future__ import annotations

import os
import signal

from hypothesis import HealthCheck, settings

settings.register_profile("default", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.register_profile(
    "ci",
    settings.get_profile("default"),
    max_examples=50,
    derandomize=True,
    database=None,
    print_blob=True,
)
settings.load_profile("ci" if os.environ.get("CI") else "default")

# A shell starts what it puts into the background with Ctrl-C ignored, and that is handed down to the commands
# under test, which then could not be interrupted.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)
