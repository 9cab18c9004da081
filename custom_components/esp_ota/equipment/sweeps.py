"""Templates that look through all states, or all of a domain, without naming what they rest on.

Nobody could say which entity makes such a condition untrue, and whoever watches it works it out
anew at each change of any state: 14 ms in a house of 2,000 entities.
"""

from collections.abc import Iterator, Mapping
from typing import Any, Final

from jinja2 import Environment, TemplateSyntaxError, nodes

from homeassistant.const import CONF_VALUE_TEMPLATE
from homeassistant.helpers.template import Template
from homeassistant.helpers.template.render_info import RenderInfo

_STATES: Final = "states"
_SYNTAX: Final = Environment(  # only parses
    extensions=["jinja2.ext.do", "jinja2.ext.loopcontrols"], autoescape=True
)


def sweeps(conditions: Any) -> bool:
    """Whether a template in any of the conditions, as typed or validated, does that."""
    if isinstance(conditions, str):
        return _sweeps(conditions)
    if isinstance(conditions, Template):
        return _sweeps(conditions.template)
    if isinstance(conditions, (list, tuple)):
        return any(sweeps(item) for item in conditions if not isinstance(item, str) or "{" in item)
    if isinstance(conditions, Mapping):
        return any(
            sweeps(value)
            for key, value in conditions.items()
            if key == CONF_VALUE_TEMPLATE or isinstance(value, (list, Mapping, Template))
        )
    return False


def swept(info: RenderInfo) -> bool:
    """Whether a template that was worked out has done that, however it is written."""
    return bool(
        info.all_states or info.all_states_lifecycle or info.domains or info.domains_lifecycle
    )


def _sweeps(template: str) -> bool:
    try:
        parsed = _SYNTAX.parse(template)
    except TemplateSyntaxError:
        return False  # who validates it says so
    return any(_uses(parsed))


def _uses(node: nodes.Node) -> Iterator[bool]:
    """Yield for each use of `states` whether it is more than one entity."""
    if isinstance(node, nodes.Call) and _is_states(node.node):
        for inner in [*node.args, *node.kwargs]:
            yield from _uses(inner)
        return
    if isinstance(node, (nodes.Getattr, nodes.Getitem)):
        if isinstance(node, nodes.Getitem):
            yield from _uses(node.arg)
        if _is_states(node.node):
            yield not _names_entity(node)
            return
        inner = node.node
        if isinstance(inner, (nodes.Getattr, nodes.Getitem)) and _is_states(inner.node):
            return  # states.domain.name
    if isinstance(node, nodes.Name):
        yield _is_states(node) and node.ctx == "load"
    for child in node.iter_child_nodes():
        yield from _uses(child)


def _is_states(node: nodes.Node) -> bool:
    return isinstance(node, nodes.Name) and node.name == _STATES


def _names_entity(node: nodes.Getattr | nodes.Getitem) -> bool:
    """Whether `states['…']` has one entity in it, or something that only running it tells."""
    if isinstance(node, nodes.Getattr):
        return False
    return not isinstance(node.arg, nodes.Const) or "." in str(node.arg.value)
