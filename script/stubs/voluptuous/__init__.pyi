# Home Assistant puts its own engine in voluptuous' place before any integration is imported
# (`install_as_voluptuous` in `homeassistant/__init__.py`, 2026.10): these are the types that
# really run, and those that Home Assistant's own functions ask for.
from probatio import *
