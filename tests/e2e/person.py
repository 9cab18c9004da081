"""One person in front of one browser."""

from playwright.async_api import Locator, Page, expect

from .bench import Bench
from .browser import go, more_info
from .modules import GARDEN_VALVE, NEW, OLD, Module, RunningModule

SLOW = "--sector-time=0.12"
"""So slow that a person, and a test, can read a percentage."""
UPDATE_MS = 60_000
"""Milliseconds for what an install gets to on its way."""


class Person:
    """Somebody who is logged in, and what one module's update card shows them."""

    def __init__(self, running: Bench, page: Page, module: Module = GARDEN_VALVE) -> None:
        """Be logged in."""
        self.client = running.client
        self.home = running.home
        self.page = page
        self.entity_id = module.update_entity
        self._modules = running.modules
        self._name = module.name

    @property
    def module(self) -> RunningModule:
        """The module, which may be switched on later than the browser."""
        return self._modules[self._name]

    def module_called(self, module: Module) -> RunningModule:
        """Return another module that is switched on."""
        return self._modules[module.name]

    async def switch_on(self, module: Module) -> None:
        """Switch another module on, and put its firmware into the library."""
        for version in (OLD, NEW):
            module.place_firmware(self.home.firmware_folder, version)
        await self._modules.start(module, SLOW)

    @property
    def card(self) -> Locator:
        """The open update card."""
        return self.page.locator("ha-more-info-dialog")

    async def open_card(self) -> Locator:
        """Open the update card, over a page that looks the same each time."""
        await go(self.page, "/config/integrations/integration/esp_ota")
        await self.page.locator("ha-config-entry-row").first.wait_for()
        return await more_info(self.page, self.entity_id)

    async def press_update(self) -> None:
        """Press Update on the open card."""
        button = self.card.get_by_role("button", name="Update")
        await expect(button).to_be_enabled()
        await button.click()

    async def close_card(self) -> None:
        """Close the card."""
        await self.card.get_by_role("button", name="Close").first.click()
        await self.card.locator("more-info-update").wait_for(state="detached")

    @property
    def percentage(self) -> int:
        """What the card says of the running update."""
        return self.client.attributes(self.entity_id)["update_percentage"] or 0

    async def told(self) -> str:
        """Return the message of a failed update, as the open card shows it."""
        alert = self.card.locator("ha-alert")
        await alert.wait_for(timeout=UPDATE_MS)
        return await alert.inner_text()

    async def refusal(self) -> str:
        """Return the message of a refused update, as the open card shows it."""
        message = await self.told()
        assert not self.client.attributes(self.entity_id)["in_progress"]
        assert self.module.version == OLD or self.module.count("restarted") == 1
        return message
