"""Names of stored keys, and the waits that belong to Home Assistant's side."""

import logging
from typing import Final

DOMAIN: Final = "esp_ota"
ENTRY_VERSION: Final = 1
ENTRY_MINOR_VERSION: Final = 2
"""Of all entries. A newer major version is one that this release cannot read."""
LOGGER: Final = logging.getLogger(__package__)

EVENT_UPDATE_ENDED: Final = f"{DOMAIN}_update_ended"
"""Fired on the bus for the logbook and for triggers, whatever an update ended as."""

HOUSE_UNIQUE_ID: Final = "esp_ota:house"
"""No host name has a colon: a module may well be called `house`."""

# Keys of config entries
CONF_KIND: Final = "kind"
KIND_HOUSE: Final = "house"
KIND_MODULE: Final = "module"
CONF_SERVICE_NAME: Final = "service_name"
CONF_BOARD: Final = "board"
CONF_MAC: Final = "mac"
CONF_AUTH: Final = "auth_required"
CONF_NO_PASSWORD: Final = "no_password"  # noqa: S105 - a key, not a password
"""That the stored password is to be forgotten; said to a form, never stored."""
CONF_RENAMED: Final = "renamed"
"""That it announces itself by another name; said to a form, never stored."""
CONF_IDENTITY: Final = "identity"
"""What the ids of a module's entities and device are made from; it stays when its unique id moves
from its name to its MAC, and when its entry is deleted and made again."""
CONF_MOVED_FROM: Final = "moved_from"
"""Where it was when an image or a person proved last who it is; absent: where it is now."""
CONF_NAMED_BEFORE: Final = "named_before"
"""The service that it announced before it was followed to another name."""

CONF_PULL_SECRET: Final = "pull_secret"  # noqa: S105 - a key, not a secret
CONF_OWN_SECRET: Final = "own_secret"  # noqa: S105 - a key, not a secret
CONF_TRANSPORTS: Final = "transports"
TRANSPORT_PUSH: Final = "arduino_ota"
TRANSPORT_UPLOAD: Final = "http_upload"
TRANSPORT_PULL: Final = "http_pull"
TRANSPORTS: Final = (TRANSPORT_PUSH, TRANSPORT_UPLOAD, TRANSPORT_PULL)
CONF_REFUSED_BY: Final = "refused_by"
"""The way that a password was refused on; said to a form, never stored."""
CONF_UPLOAD_PORT: Final = "upload_port"
CONF_UPLOAD_PATH: Final = "upload_path"
CONF_UPLOAD_USERNAME: Final = "upload_username"
CONF_UPLOAD_PASSWORD: Final = "upload_password"  # noqa: S105 - a key, not a password
CONF_UPLOAD_DIALECT: Final = "upload_dialect"
CONF_UPLOAD_SEEN: Final = "upload_seen"
"""The kind of page that was recognised last, where none was chosen."""

# Keys of a module's options
CONF_EQUIPMENT: Final = "equipment"
EQUIPMENT_SWITCHES: Final = "switches"
EQUIPMENT_HOUSE: Final = "house"
EQUIPMENT_NOTHING: Final = "nothing"
CONF_FIRMWARE: Final = "firmware"
CONF_CHIP: Final = "chip"
CONF_INFO_URL: Final = "info_url"
CONF_INFO_PATH: Final = "info_path"
CONF_INFO_ENTITY: Final = "info_entity"
CONF_GZIP: Final = "gzip"
CONF_ACCEPTED: Final = "accepted_checks"
CONF_SLOT_SIZE: Final = "slot_size"
CONF_FORGET: Final = "forget"
CONF_ROLLBACK: Final = "rollback"
ROLLBACK_NEVER: Final = "never"
ROLLBACK_ASK: Final = "ask"
ROLLBACK_AUTO: Final = "auto"
CONF_SOAK_MINUTES: Final = "soak_minutes"
CONF_SOAK_ENTITIES: Final = "soak_entities"
CONF_WINDOW_OF: Final = "window_of"
"""Whose window holds for a module."""
WINDOW_OF_HOUSE: Final = "house"
WINDOW_OF_MODULE: Final = "own"
WINDOW_OF_NOBODY: Final = "none"
CONF_PIN: Final = "pin"
"""The version, or the range of versions, that alone a module may get."""
CONF_HOLD: Final = "hold_until"
"""Until when it gets nothing: local time as ISO text without a zone."""
CONF_MODULE_CHANNEL: Final = "channel"
CHANNEL_STABLE: Final = "stable"
CHANNEL_BETA: Final = "beta"
CONF_SLEEPS: Final = "sleeps"
CONF_WAKE_ENTITY: Final = "wake_entity"
CONF_SAFE_STATE: Final = "safe_state"
CONF_INHIBIT: Final = "inhibit"
CONF_ACTIONS: Final = "actions"
CONF_CONDITIONS: Final = "conditions"
CONF_TIME_LIMIT: Final = "time_limit"
CONF_STABLE: Final = "stable"
CONF_RESTORE: Final = "restore"
CONF_RESTORE_CONDITIONS: Final = "restore_conditions"
CONF_WHEN_MISSING: Final = "when_missing"
MISSING_RESTORE: Final = "restore"
MISSING_STAY_SAFE: Final = "stay_safe"

# Keys of the house's options
CONF_PARALLEL: Final = "parallel_installs"
CONF_STAGGER: Final = "stagger"
"""What modules share that are not updated together."""
STAGGER_AREA: Final = "area"
STAGGER_LABEL: Final = "label"
STAGGER_MODULE: Final = "module"
CONF_STAGGER_LABELS: Final = "stagger_labels"
CONF_WHEN_INHIBITED: Final = "when_inhibited"
INHIBITED_REFUSE: Final = "refuse"
INHIBITED_WAIT: Final = "wait"
CONF_WAIT_HOURS: Final = "wait_hours"
CONF_AT_DEADLINE: Final = "at_deadline"
DEADLINE_GIVE_UP: Final = "give_up"
DEADLINE_WAIT_ON: Final = "wait_on"
CONF_WINDOW: Final = "window"
"""`start`, `end`, `days` or none of them, and `conditions`; of the house, or of a module."""
CONF_CALLBACK_PORT: Final = "callback_port"
CONF_KEEP: Final = "keep_releases"
CONF_KEYS: Final = "signing_keys"
CONF_PULL_ADDRESS: Final = "pull_address"
CONF_REMOTE_POLLS: Final = "remote_polls"

# Keys of a source of firmware, a subentry of the house's entry
KIND_MANIFEST: Final = "manifest"
KIND_GITHUB: Final = "github"
KIND_SERVER: Final = "server"
SOURCE_SERVER: Final = "server"
"""Where a release comes from that a server has assigned: it is for no other module."""
CONF_URL: Final = "url"
CONF_INSIDE: Final = "inside"
"""Whether a person said that the address of a source is inside the house."""
CONF_REPOSITORY: Final = "repository"
CONF_PATTERN: Final = "pattern"
CONF_CHANNEL: Final = "channel"
CONF_TOKEN: Final = "token"  # noqa: S105 - a key, not a token
CONF_SOURCE_FIRMWARE: Final = "firmware"
CONF_INTERVAL: Final = "interval"
CONF_TENANT: Final = "tenant"
CONF_PREFIX: Final = "prefix"
"""What the names of this house's modules begin with at a server."""
CONF_LOGIN: Final = "login"
LOGIN_NONE: Final = "none"
LOGIN_GATEWAY: Final = "gateway"
LOGIN_TARGET: Final = "target"
CONF_TOKENS: Final = "tokens"
CONF_BEGINS: Final = "begins"
"""Who begins an update that a server wants."""
BEGINS_BY_PRESS: Final = "press"
BEGINS_BY_ITSELF: Final = "itself"
CHANNEL_PRE: Final = "pre_release"
DEFAULT_PATTERN: Final = "*.bin"
DEFAULT_INTERVAL: Final = 60
"""Minutes; a release is rarely more urgent, and GitHub counts the calls of an address."""

DEFAULT_PARALLEL: Final = 2
"""More at once share one radio channel and the house loses more equipment at a time."""
DEFAULT_WAIT_HOURS: Final = 24
"""Long enough for a window of every night."""
DEFAULT_KEEP: Final = 5
"""Releases of each firmware; enough to go back past a few bad ones."""
DEFAULT_UPLOAD_PORT: Final = 80
DEFAULT_TIME_LIMIT: Final = 60
"""Seconds for the actions and their conditions; motor valves take up to 40 s to close."""
DEFAULT_STABLE: Final = 3
"""Seconds the conditions must stay true, so that a bouncing contact is not believed."""

FOLDER_SCAN_SECONDS: Final = 2
"""Between two looks at the folder while something in it changes. A finished file (size and time
unchanged) shows up at the second look that sees it, 10 s after it was put there at most."""

# Keys of a guest, a subentry of the house's entry
KIND_GUEST: Final = "guest"
CONF_GUESTS: Final = "entities"
