"""Property tests draw the same examples in every run, on a busy machine as well as on an idle one.

`pytest --hypothesis-profile=new_examples` draws others.
"""

from hypothesis import HealthCheck, settings

for name, is_repeatable in (("repeatable", True), ("new_examples", False)):
    settings.register_profile(
        name,
        derandomize=is_repeatable,
        deadline=None,
        database=None,
        suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
    )
settings.load_profile("repeatable")
