// A safe state in words: what is done, what must be true, what is put back.

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

/** Return one condition as a person says it. */
export function conditionText(texts, hass, step) {
  const t = (key, values) => texts.t(`safe.${key}`, values);
  if (typeof step === "string") return t("template", { template: step });
  if (step.alias) return step.alias;
  const entity = targets(hass, step);
  const kind = step.condition;
  if (kind === "state" && !step.attribute) {
    const first = list(step.entity_id)[0];
    return t("state", { entity, state: list(step.state).map((state) => stateName(hass, first, state)).join(", ") });
  }
  if (kind === "numeric_state" && step.above !== undefined && step.below !== undefined)
    return t("between", { entity, above: step.above, below: step.below });
  if (kind === "numeric_state" && step.below !== undefined) return t("below", { entity, below: step.below });
  if (kind === "numeric_state") return t("above", { entity, above: step.above });
  if (kind === "template") return t("template", { template: step.value_template });
  const parts = list(step.conditions).map((one) => conditionText(texts, hass, one));
  if (["and", "or", "not"].includes(kind)) return t(`${kind}_of`, { conditions: parts.join("; ") });
  const [domain, name] = String(kind).split(".");
  const known = texts.of(`component.${domain}.conditions.${name}.name`) || kind;
  return entity ? t("step", { what: known, target: entity }) : known;
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
