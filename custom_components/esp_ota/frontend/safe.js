// A safe state in words: what is done, what must be true, what is put back.

import { h } from "./dom.js";
import { hass } from "./talk.js";
import { loadMore, localized, t } from "./texts.js";

const list = (value) => (Array.isArray(value) ? value : value ? [value] : []);

const enabled = (steps) => list(steps).filter((step) => step.enabled !== false);

/** Load the names of the actions and conditions that a safe state is made of. */
export async function loadNames(safeState) {
	for (const { action, service = action, condition } of Object.values(safeState).flatMap(list)) {
		if (service) await loadMore("services", service.split(".")[0]);
		if (String(condition).includes(".")) await loadMore("conditions", condition.split(".")[0]);
	}
}

function targets({ data, target, entity_id }) {
	const { states, devices, areas } = hass;
	const all = { ...data, ...target, ...(entity_id && { entity_id }) };
	const names = {
		entity_id: (id) => states[id]?.attributes.friendly_name,
		device_id: (id) => devices?.[id]?.name_by_user ?? devices?.[id]?.name,
		area_id: (id) => areas?.[id]?.name,
		label_id: (id) => id,
	};
	return Object.keys(names).flatMap((kind) => list(all[kind]).map((id) => names[kind](id) ?? id)).join(", ");
}

const step = (what, target) => (target ? t("safe.step", { what, target }) : what);

/** Return a whole safe state as elements, none for one that proves nothing. */
export function safeState(safe) {
	if (!enabled(safe.conditions).length) return [];
	const times = { seconds: safe.stable ?? 3, limit: safe.time_limit };
	const listed = (title, steps, text) =>
		enabled(steps).length > 0 && [h("h4", title), h("ul", enabled(steps).map((one) => h("li", text(one))))];
	return [
		listed(t("detail.not_while"), safe.inhibit, conditionText),
		listed(t("detail.first"), safe.actions, actionText),
		listed(t("detail.until", times), safe.conditions, conditionText),
		listed(t("detail.afterwards"), safe.restore, actionText),
		listed(t("detail.restored"), safe.restore_conditions, conditionText),
	];
}

/** Return one condition as a person says it. */
export function conditionText(one) {
	if (typeof one === "string") return t("safe.template", { template: one });
	if (one.alias) return one.alias;
	const entity = targets(one);
	const { condition: kind, above, below } = one;
	if (kind === "state" && !one.attribute) {
		const known = hass.states[list(one.entity_id)[0]];
		const states = list(one.state).map((state) => (known ? hass.formatEntityState(known, state) : state));
		return t("safe.state", { entity, state: states.join(", ") });
	}
	if (kind === "numeric_state") {
		const bound = above === undefined ? "below" : below === undefined ? "above" : "between";
		return t(`safe.${bound}`, { entity, above, below });
	}
	if (kind === "template") return t("safe.template", { template: one.value_template });
	if (["and", "or", "not"].includes(kind))
		return t(`safe.of.${kind}`, { conditions: list(one.conditions).map(conditionText).join("; ") });
	const [domain, name] = String(kind).split(".");
	return step(localized(`component.${domain}.conditions.${name}.name`) || kind, entity);
}

/** Return one action as a person says it. */
export function actionText(one) {
	if (one.alias) return one.alias;
	const action = one.action ?? one.service;
	if (action) {
		const [domain, name] = action.split(".");
		return step(localized(`component.${domain}.services.${name}.name`) || action, targets(one));
	}
	if (one.delay) {
		const time = typeof one.delay === "object" ? Object.values(one.delay).join(":") : one.delay;
		return t("safe.delay", { time });
	}
	if (one.condition) return conditionText(one);
	return t("safe.other", { kind: Object.keys(one)[0] });
}
