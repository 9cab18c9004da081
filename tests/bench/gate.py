"""Making safe what is safe already, in a real Home Assistant: what the gate adds to an update."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
import logging
import statistics
import tempfile
import time
from typing import Any, Final
from unittest.mock import patch

from pytest_homeassistant_custom_component.common import async_test_home_assistant
from zeroconf import IPVersion

from custom_components.esp_ota.const import DEFAULT_STABLE, DEFAULT_TIME_LIMIT, DOMAIN
from homeassistant.helpers import frame
from homeassistant.loader import DATA_CUSTOM_COMPONENTS
from homeassistant.setup import async_setup_component
from tests.kit.entries import entry_for
from tests.kit.garden import Garden, options_for
from tests.virtual_module import Fault, ModuleConfig, Seen, VirtualModule

_REST: Final = DEFAULT_STABLE + 0.5
"""Seconds without a change, after which the equipment counts as at rest."""
_LOOPBACK: Final = {"interfaces": ["127.0.0.1"], "ip_version": IPVersion.V4Only}


@asynccontextmanager
async def _garden() -> AsyncIterator[Garden]:
    """Start a Home Assistant with a valve and a release."""
    with (
        tempfile.TemporaryDirectory() as folder,
        patch("homeassistant.components.zeroconf._async_get_zc_args", return_value=_LOOPBACK),
        patch("homeassistant.components.zeroconf.install_multiple_zeroconf_catcher"),
    ):
        async with async_test_home_assistant(config_dir=folder) as hass:
            frame.async_setup(hass)
            hass.data.pop(DATA_CUSTOM_COMPONENTS)
            assert await async_setup_component(hass, DOMAIN, {})
            garden = await Garden.plant(hass)
            await garden.release("1.1.0")
            yield garden
            await hass.async_stop(force=True)


async def _until_invited(garden: Garden, module: VirtualModule) -> float:
    """Press Update and return the seconds until the module was invited; it refuses at once."""
    seen = module.events.count_of(Seen.INVITED)
    begin = time.monotonic()
    await garden.refused("boot_strap")
    invited = [event for event in module.events if event.name == Seen.INVITED]
    assert len(invited) == seen + 1
    return invited[-1].time - begin


async def _measure(runs: int) -> dict[str, list[float]]:
    """Press Update again and again; return the seconds of each kind of press."""
    switched = ModuleConfig(hostname="garden-valve", advertise=False, faults=[Fault.BOOT_STRAP])
    defaults = {"stable": DEFAULT_STABLE, "time_limit": DEFAULT_TIME_LIMIT, "restore": []}
    options: dict[str, dict[str, Any]] = {
        "nothing": options_for(equipment="nothing"),
        "safe": options_for(defaults),
    }
    seconds: dict[str, list[float]] = {"nothing": [], "safe": [], "moving": []}
    async with VirtualModule(switched) as module, _garden() as garden:
        entry = await garden.add(entry_for(module, options=options["safe"]))
        seconds["moving"].append(await _until_invited(garden, module))  # the valve was open
        await asyncio.sleep(_REST)
        for _ in range(runs):
            for kind, chosen in options.items():
                garden.hass.config_entries.async_update_entry(entry, options=chosen)
                seconds[kind].append(await _until_invited(garden, module))
        assert garden.valve == ["off"]
    return seconds


def measure(runs: int) -> Iterator[str]:
    """Yield `metric value unit` lines."""
    logging.disable(logging.WARNING)
    seconds = asyncio.run(_measure(runs))
    median = {kind: statistics.median(values) for kind, values in seconds.items()}
    yield f"gate_nothing_needed {median['nothing']:.4f} s"
    yield f"gate_safe_already {median['safe']:.4f} s"
    yield f"gate_added {median['safe'] - median['nothing']:.4f} s"
    yield f"gate_added_worst {max(seconds['safe']) - median['nothing']:.4f} s"
    yield f"gate_valve_was_open {median['moving']:.4f} s"
