"""Conditions with three answers: true, false, and None where it cannot be told.

Home Assistant knows two. There "all valves are closed" is true when every valve is unavailable,
"not open" is true of a valve that was removed, and a template reads a lost sensor as zero.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
import math
from typing import Any, Final, Self

from homeassistant.const import (
    ATTR_ENTITY_ID,
    CONF_ABOVE,
    CONF_ATTRIBUTE,
    CONF_BELOW,
    CONF_CONDITION,
    CONF_CONDITIONS,
    CONF_ENABLED,
    CONF_ENTITY_ID,
    CONF_FOR,
    CONF_OPTIONS,
    CONF_STATE,
    CONF_VALUE_TEMPLATE,
    STATE_UNAVAILABLE,
    STATE_UNKNOWN,
)
from homeassistant.core import HomeAssistant, State
from homeassistant.helpers import (
    condition,
    config_validation as cv,
    entity_registry as er,
    target as targets,
)
from homeassistant.helpers.template import Template
from homeassistant.helpers.typing import ConfigType

from ..helpers import async_said
from .sweeps import swept

type Node = Leaf | Group
type Reading = tuple[bool | None, list[str]]
"""An answer, and why none can be given."""

GROUPS: Final = ("and", "or", "not")
_STATE: Final = "state"
_TEMPLATE: Final = "template"
_NUMERIC: Final = "numeric_state"
_UNTOLD: Final = (STATE_UNAVAILABLE, STATE_UNKNOWN)
_BY_VALUE: Final = (
    condition.EntityNumericalConditionBase,
    condition.EntityStateConditionBase,
)
"""Checkers that look at the state, or at an attribute of their own choice."""
_NOT_A_NUMBER: Final = "nan"
"""Compares with nothing: to Home Assistant it is both above and below every limit."""


async def load(hass: HomeAssistant, config: ConfigType) -> Node | None:
    """Load a validated condition; None for a disabled one, which never says anything."""
    if CONF_ENABLED in config and await _is_disabled(hass, config[CONF_ENABLED]):
        return None
    if config[CONF_CONDITION] not in GROUPS:
        return Leaf(hass, config, await condition.async_from_config(hass, config))
    group = Group(kind=config[CONF_CONDITION], members=[])
    try:
        for member in config[CONF_CONDITIONS]:
            if (node := await load(hass, member)) is not None:
                group.members.append(node)
    except BaseException:
        group.unload()
        raise
    return group


async def _is_disabled(hass: HomeAssistant, switch: Any) -> bool:
    """Whether Home Assistant takes this for off; it may be a template."""
    config = {CONF_CONDITION: "and", CONF_CONDITIONS: [], CONF_ENABLED: switch}
    checker = await condition.async_from_config(hass, config)
    checker.async_unload()
    return isinstance(checker, condition.DisabledConditionChecker)


@dataclass(frozen=True, kw_only=True, slots=True)
class Group:
    """Several conditions; an unknown member decides nothing that the others have not decided."""

    kind: str
    members: list[Node]

    def read(self, variables: Mapping[str, Any]) -> Reading:
        """Return the answer right now, and the doubts of the members."""
        read = [member.read(variables) for member in self.members]
        answers = [answer for answer, _ in read]
        doubts = [doubt for _, doubts in read for doubt in doubts]
        if (self.kind != "and") in answers:
            return self.kind == "or", doubts
        return None if None in answers else self.kind != "or", doubts

    def entities(self, variables: Mapping[str, Any]) -> set[str]:
        """Return the entities that the members rest on."""
        return {entity for member in self.members for entity in member.entities(variables)}

    def is_older_than(self, moment: datetime) -> bool:
        """Whether it is known that the answer was the same since then."""
        return all(member.is_older_than(moment) for member in self.members)

    def unload(self) -> None:
        """Let go of what the members listen to."""
        for member in self.members:
            member.unload()


@dataclass(frozen=True, kw_only=True, slots=True)
class Targets:
    """The entities that a condition with targets looks at, as its own checker finds them.

    It passes over the others, also those that do not exist, without a word. Which of a device's
    or an area's entities it looks at is its own business: that of a battery also looks at
    diagnostic ones (`battery/condition.py` of 2026.10), and from 2026.11 on a target may have an
    `exclude` (`helpers/target.py`).
    """

    checker: condition.EntityConditionBase
    named: set[str]
    """Those that the target names."""
    fitting: set[str]
    """Those that the checker looks at."""
    excluded: set[str]
    """Those that are named, and taken out again."""

    @classmethod
    def of(cls, hass: HomeAssistant, checker: condition.EntityConditionBase) -> Self:
        """Resolve the targets of a checker right now."""
        selection = checker._target_selection  # noqa: SLF001 - whoever resolves anew finds others
        selected = targets.async_extract_referenced_entity_ids(
            hass,
            selection,
            expand_group=False,
            primary_entities_only=checker._primary_entities_only,  # noqa: SLF001
        )
        found = selected.referenced | selected.indirectly_referenced
        return cls(
            checker=checker,
            named=selected.referenced,
            fitting=checker.entity_filter(found),
            excluded=selection.entity_ids - selected.referenced,
        )

    def passes_over(self, state: State) -> bool:
        """Whether the checker says nothing of an entity that it should look at."""
        if state.entity_id in self.fitting:
            return not self.checker._should_include(state)  # noqa: SLF001
        return state.entity_id in self.named


class Leaf:
    """One condition of Home Assistant, together with the entities that it is about."""

    def __init__(
        self, hass: HomeAssistant, config: ConfigType, checker: condition.ConditionChecker
    ) -> None:
        """Take what `load` has loaded."""
        self._hass = hass
        self._config = config
        self._checker = checker

    def read(self, variables: Mapping[str, Any]) -> Reading:
        """Return the answer right now, or why there is none."""
        entities, answer, error = self._check(dict(variables))
        doubts = list(self._doubts(entities)) or error
        return None if doubts else answer, doubts

    def entities(self, variables: Mapping[str, Any]) -> set[str]:
        """Return the entities that the answer rests on."""
        targeted = self._targets()
        fitting = targeted.fitting if targeted else set()
        return self._check(dict(variables))[0] | fitting

    def _check(self, variables: dict[str, Any]) -> tuple[set[str], bool, list[str]]:
        """Return which entities the answer rests on, the answer, and an error."""
        entities = self._named | self._limits
        try:
            if self._config[CONF_CONDITION] != _TEMPLATE:
                entities |= self._read_by_values(variables)
                return entities, self._checker.async_check(variables=variables) is True, []
            result, read = self._render(variables)
            return entities | read, result.lower() == "true", []
        except Exception as err:  # noqa: BLE001 - conditions are anybody's code
            return entities, False, [str(err) or type(err).__name__]

    def _render(self, variables: dict[str, Any]) -> tuple[str, set[str]]:
        """Work out the template; return what it says, and the entities it rests on.

        Raises ValueError for one that looks through all states, and TemplateError.
        """
        template: Template = self._config[CONF_VALUE_TEMPLATE]
        info = template.async_render_to_info(variables, parse_result=False)
        result = info.result()
        if swept(info):
            raise ValueError(self._say("sweeps"))
        return result, set(info.entities)

    def _read_by_values(self, variables: dict[str, Any]) -> set[str]:
        """Return the entities that the values of a numeric condition rest on.

        Raises ValueError for a value that is no number.
        """
        if self._config[CONF_CONDITION] != _NUMERIC or CONF_VALUE_TEMPLATE not in self._config:
            return set()
        read: set[str] = set()
        for entity_id in cv.ensure_list(self._config.get(CONF_ENTITY_ID)):
            if (state := self._hass.states.get(entity_id)) is None:
                continue
            result, rests_on = self._render({**variables, "state": state})
            read |= rests_on
            if not _is_number(result):
                said = result.strip() or "-"
                raise ValueError(self._say("not_a_number", entity=entity_id, value=said))
        return read

    def _doubts(self, entities: set[str]) -> Iterator[str]:
        """Yield each entity that says nothing, or is passed over in silence."""
        targeted = self._targets()
        if targeted is not None and not targeted.fitting:
            yield self._say("no_entity")
        yield from self._doubts_of_thresholds()
        for entity_id in sorted(entities | (targeted.fitting if targeted else set())):
            state = self._hass.states.get(entity_id)
            if state is None:
                yield self._say("missing", entity=entity_id)
            elif self._is_untold(state):
                yield f"{entity_id}: {state.state}"
            elif targeted is not None and targeted.passes_over(state):
                yield self._say("other_kind", entity=entity_id)
            elif (doubt := self._doubt_of_attribute(state)) is not None:
                yield doubt
            else:
                yield from self._lost_members(state, {entity_id})

    def _say(self, doubt: str, **facts: object) -> str:
        """Return a doubt in the language of the house."""
        told = {name: str(value) for name, value in facts.items()}
        return async_said(self._hass, f"doubt_{doubt}", told, module="")

    def _is_untold(self, state: State) -> bool:
        if state.state in _UNTOLD:
            asked = cv.ensure_list(self._config.get(CONF_STATE))
            # Somebody who asks for "unavailable" gets an answer.
            return state.state not in asked or CONF_ATTRIBUTE in self._config
        return self._compares and state.state.strip().lower() == _NOT_A_NUMBER

    @property
    def _compares(self) -> bool:
        """Whether values are compared with limits."""
        options = self._config.get(CONF_OPTIONS, {})
        is_by_number = isinstance(self._checker, condition.EntityNumericalConditionBase)
        compared = {CONF_ABOVE, CONF_BELOW} & {*self._config, *options}
        return self._config[CONF_CONDITION] == _NUMERIC or is_by_number or bool(compared)

    def _doubt_of_attribute(self, state: State) -> str | None:
        """Return why the attribute that is looked at says nothing; None where it says something."""
        asked = cv.ensure_list(self._config.get(CONF_STATE))
        if isinstance(self._checker, _BY_VALUE):
            targeted = self._targets()
            if targeted is None or state.entity_id not in targeted.fitting:
                return None
            value = self._checker._get_tracked_value(state)  # noqa: SLF001 - its own business
            compares = isinstance(self._checker, condition.EntityNumericalConditionBase)
            is_told = _is_number(value) if compares else value not in {None, *_UNTOLD}
            return None if is_told else self._say("value", entity=state.entity_id, value=value)
        name = self._config.get(CONF_ATTRIBUTE)
        if name is None or state.entity_id in self._limits:
            return None
        if name not in state.attributes:
            return self._say("no_attribute", entity=state.entity_id, name=name)
        value = state.attributes[name]
        if value in asked:
            return None
        if value is None or value in _UNTOLD:
            return self._say("attribute", entity=state.entity_id, name=name, value=value)
        if self._compares and CONF_VALUE_TEMPLATE not in self._config and not _is_number(value):
            return self._say("attribute", entity=state.entity_id, name=name, value=value)
        return None

    def _doubts_of_thresholds(self) -> Iterator[str]:
        """Yield what values are compared with, where that is no number."""
        if not isinstance(self._checker, condition.EntityNumericalConditionBase):
            return
        checker = self._checker
        for limit in (checker.threshold, checker.lower_threshold, checker.upper_threshold):
            if limit is not None and not _is_number(
                checker._get_threshold_value(limit)  # noqa: SLF001 - with its unit
            ):
                yield self._say("no_number", entity=limit.entity)

    def _lost_members(self, group: State, seen: set[str]) -> Iterator[str]:
        """Yield members of a group that say nothing: it takes them for switched off."""
        members = group.attributes.get(ATTR_ENTITY_ID)
        for entity_id in members if isinstance(members, (list, tuple)) else ():
            if entity_id in seen or not isinstance(entity_id, str):
                continue
            seen.add(entity_id)
            if (state := self._hass.states.get(entity_id)) is None:
                yield self._say("missing", entity=entity_id)
            elif state.state in _UNTOLD:
                yield f"{entity_id}: {state.state}"
            else:
                yield from self._lost_members(state, seen)

    @property
    def _named(self) -> set[str]:
        """The entities that the condition names."""
        registry = er.async_get(self._hass)
        names = condition.async_extract_entities(self._config)
        if (targeted := self._targets()) is not None:
            names -= targeted.excluded
        return {er.async_resolve_entity_id(registry, name) or name for name in names}

    def _targets(self) -> Targets | None:
        """Return the entities that a condition with targets is about; None for one without."""
        if not isinstance(self._checker, condition.EntityConditionBase):
            return None
        return Targets.of(self._hass, self._checker)

    @property
    def _limits(self) -> set[str]:
        """The entities whose states are what others are compared with."""
        if isinstance(self._checker, condition.EntityNumericalConditionBase):
            return set(self._checker._threshold_entity_ids)  # noqa: SLF001 - its own business
        limits = [self._config.get(CONF_ABOVE), self._config.get(CONF_BELOW)]
        if self._config[CONF_CONDITION] == _NUMERIC:
            return {limit for limit in limits if isinstance(limit, str)}
        states = cv.ensure_list(self._config.get(CONF_STATE))
        return {
            str(state)
            for state in states
            if isinstance(state, str) and cv.INPUT_ENTITY_ID.match(state)
        }

    def is_older_than(self, moment: datetime) -> bool:
        """Whether it is known that the answer was the same since then.

        Known only of conditions on the states of named entities: what a template or a device
        rests on is not told, and time alone changes what has to last.
        """
        kind = self._config[CONF_CONDITION]
        if CONF_FOR in self._config or CONF_FOR in self._config.get(CONF_OPTIONS, {}):
            return False
        by_state = kind == _STATE or isinstance(self._checker, condition.EntityStateConditionBase)
        by_number = kind == _NUMERIC and CONF_VALUE_TEMPLATE not in self._config
        if not by_state and not by_number:
            return False
        names = self._named | self._limits
        if (targeted := self._targets()) is not None and targeted.fitting != names:
            return False  # an area, say: what is in it may have changed
        states = [self._hass.states.get(name) for name in names]
        return bool(states) and all(
            state is not None and state.last_updated <= moment for state in states
        )

    def unload(self) -> None:
        """Let go of what it listens to."""
        self._checker.async_unload()


def _is_number(value: Any) -> bool:
    """Whether a value can be compared with a limit."""
    try:
        return math.isfinite(float(value))
    except TypeError, ValueError:
        return False
