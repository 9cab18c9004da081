// A safe state in words: what is done, what must be true, what is put back.

import { h } from "./dom.js";

const list = (value) => (Array.isArray(value) ? value : value ? [value] : []);

/** Load the names of the actions and conditions that a safe state is made of. */
export async function loadNames(texts, hass, safeState) {
  const wanted = { services: new Set(), conditions: new Set() };
  for (const step of Object.values(safeState).flatMap((value) => (Array.isArray(value) ? value : []))) {
    const [action, condition] = [step.action ?? step.service, step.condition];
    if (action) wanted.services.add(action.split(".")[0]);
    if (String(condition).includes(".")) wanted.conditions.add(condition.split(".")[0]);
  }
  for (const [category, domains] of Object.entries(wanted))
    for (const domain of domains) await texts.loadMore(hass, category, domain);
}

function targets(hass, step) {
  const target = { ...step.data, ...step.target, ...(step.entity_id && { entity_id: step.entity_id }) };
  const names = [
    ...list(target.entity_id).map((id) => hass.states[id]?.attributes.friendly_name ?? id),
    ...list(target.device_id).map((id) => hass.devices?.[id]?.name_by_user ?? hass.devices?.[id]?.name ?? id),
    ...list(target.area_id).map((id) => hass.areas?.[id]?.name ?? id),
    ...list(target.label_id),
  ];
  return names.join(", ");
}

function stateName(hass, entity, state) {
  const known = hass.states[entity];
  return (known && hass.formatEntityState?.(known, state)) || state;
}

const enabled = (steps) => (steps ?? []).filter((step) => step.enabled !== false);

/** Return a whole safe state as elements, none for one that proves nothing. */
export async function safeState(texts, hass, safe) {
  if (!enabled(safe.conditions).length) return [];
  await loadNames(texts, hass, safe);
  const times = { seconds: safe.stable ?? 3, limit: safe.time_limit ?? "?" };
  const listed = (title, steps, text) =>
    enabled(steps).length > 0 && [
      h("h4", {}, title),
      h("ul", {}, enabled(steps).map((step) => h("li", {}, text(texts, hass, step)))),
    ];
  return [
    listed(texts.t("detail.not_while"), safe.inhibit, conditionText),
    listed(texts.t("detail.first"), safe.actions, actionText),
    listed(texts.t("detail.until", times), safe.conditions, conditionText),
    listed(texts.t("detail.afterwards"), safe.restore, actionText),
    listed(texts.t("detail.restored"), safe.restore_conditions, conditionText),
  ];
}

/** Return one condition as a person says it. */
export function conditionText(texts, hass, step) {
  const { t } = texts;
  if (typeof step === "string") return t("safe.template", { template: step });
  if (step.alias) return step.alias;
  const entity = targets(hass, step);
  const kind = step.condition;
  if (kind === "state" && !step.attribute) {
    const first = list(step.entity_id)[0];
    return t("safe.state", { entity, state: list(step.state).map((state) => stateName(hass, first, state)).join(", ") });
  }
  if (kind === "numeric_state" && step.above !== undefined && step.below !== undefined)
    return t("safe.between", { entity, above: step.above, below: step.below });
  if (kind === "numeric_state" && step.below !== undefined) return t("safe.below", { entity, below: step.below });
  if (kind === "numeric_state") return t("safe.above", { entity, above: step.above });
  if (kind === "template") return t("safe.template", { template: step.value_template });
  const parts = list(step.conditions).map((one) => conditionText(texts, hass, one));
  if (["and", "or", "not"].includes(kind)) return t(`safe.of.${kind}`, { conditions: parts.join("; ") });
  const [domain, name] = String(kind).split(".");
  const known = texts.of(`component.${domain}.conditions.${name}.name`) || kind;
  return entity ? t("safe.step", { what: known, target: entity }) : known;
}

/** Return one action as a person says it. */
export function actionText(texts, hass, step) {
  if (step.alias) return step.alias;
  const action = step.action ?? step.service;
  if (action) {
    const [domain, name] = action.split(".");
    const what = texts.of(`component.${domain}.services.${name}.name`) || action;
    const target = targets(hass, step);
    return target ? texts.t("safe.step", { what, target }) : what;
  }
  if (step.delay) {
    const time = typeof step.delay === "object" ? Object.values(step.delay).join(":") : step.delay;
    return texts.t("safe.delay", { time });
  }
  if (step.condition) return conditionText(texts, hass, step);
  return texts.t("safe.other", { kind: Object.keys(step)[0] ?? "?" });
}
