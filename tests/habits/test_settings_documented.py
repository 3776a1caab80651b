"""Every setting says what it is for."""

import pytest

from reuse_api.settings import Settings


@pytest.mark.parametrize("name", sorted(Settings.model_fields))
def test_every_setting_is_documented(name: str) -> None:
    description = Settings.model_fields[name].description
    assert description is not None
    assert description.strip().endswith(".")
