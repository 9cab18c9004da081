// What a person says of a new rollout: the fields of the action that plans it.

import { button, choice, h, options } from "./dom.js";
import { feed } from "./feed.js";
import { act, chips, hass } from "./talk.js";
import { field, option, t } from "./texts.js";

const MINUTES = ["soak", "pause"];
/** What is no field of the action by itself. */
const OWN = { who: "rollouts.who", opens: "rollouts.opens", closes: "rollouts.closes" };
const DAYS = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"];

/** Let a list offer these; what is wanted is chosen, as soon as it is there. */
function offer(select, offered, wanted = select.value) {
	select.replaceChildren(...offered);
	select.value = wanted;
	if (select.selectedIndex < 0) select.selectedIndex = 0;
}

/** `show` gets a plan and what starts it, or nothing when there is none any more. */
export function form(show) {
	const { items, ...told } = feed("library", { changed() {}, arrange });
	let chosen = [];
	let labels = [];
	let wanted;

	const count = { type: "number", min: 0, value: 0 };
	const share = { value: 0, pattern: "[0-9.]+ *%?" };
	const fields = {
		firmware: choice([], { onchange: ({ target }) => prefer(target.value) }),
		version: choice([]),
		who: choice([]),
		chip: choice(chips(t("rollouts.any"))),
		canaries: h("input", { ...count, value: 1 }),
		soak: h("input", count),
		pause: h("input", count),
		running_version: h("input"),
		waves: h("input", { pattern: "([0-9.]+%?[ ,;]*)*" }),
		stop_when_more_than: h("input", share),
		opens: h("input", { type: "time" }),
		closes: h("input", { type: "time" }),
	};
	const labelled = Object.entries(fields).map(([name, input]) => {
		const { title: what, help } = field("plan_rollout", name);
		const title = MINUTES.includes(name) ? t("rollouts.minutes", { what }) : what || t(OWN[name]);
		const id = `help-${name}`;
		const helps = help && input.localName === "input";
		input.name = name;
		if (helps) input.setAttribute("aria-describedby", id);
		return h("div", h("label", title, input), helps && h("span.faint", { id }, help));
	});
	const box = (name, value, text, checked) =>
		h("label.box", h("input", { type: "checkbox", name, value, checked }), text);
	const week = DAYS.map((day) => box("days", day, option("day", day), true));
	const named = h("fieldset", { hidden: true });
	const see = button(t("rollouts.plan"), plan, { class: "main" });
	const element = h(
		"form",
		{ onsubmit: (event) => event.preventDefault(), oninput: look },
		h("div.fields", labelled, named, h("fieldset", h("legend", t("rollouts.days")), week)),
		h("p.tools", see),
	);
	arrange();

	function open() {
		told.open();
		hass.callWS({ type: "config/label_registry/list" }).then((known) => {
			labels = known;
			arrange();
		});
	}

	function prefer(firmware) {
		wanted = firmware;
		arrange();
	}

	/** Have these modules updated, and their firmware. */
	function choose(lines) {
		chosen = lines.map(({ entity }) => entity);
		const canaries = lines.map(({ entity, name }) => box("canary", entity, name));
		named.replaceChildren(h("legend", t("rollouts.canaries_named")), ...canaries);
		prefer(lines[0].firmware);
		fields.who.value = "chosen";
		look();
	}

	/** Canaries are a number, or some of the chosen ones; the plan is another one. */
	function look() {
		named.hidden = named.disabled = fields.who.value !== "chosen";
		fields.canaries.disabled = new FormData(element).has("canary");
		show();
	}

	/** Offer what there is: firmware, its versions, places and labels. */
	function arrange() {
		const releases = [...items.values()].sort((a, b) => b.order - a.order);
		const unique = (name, of) => [...new Set(of.map((one) => one[name]))].map((value) => [value, value]);
		offer(fields.firmware, options(unique("firmware", releases).sort()), wanted);
		const versions = releases.filter(({ firmware }) => firmware === fields.firmware.value);
		offer(fields.version, options([["newest", t("rollouts.newest")], ...unique("version", versions)]));
		const group = (key, places) => {
			const pairs = places.map((one) => [`${key}:${one[key]}`, one.name]);
			return pairs.length ? [h("optgroup", { label: field("plan_rollout", key).title }, options(pairs))] : [];
		};
		offer(fields.who, [
			...options([["", t("rollouts.who_all")]]),
			...options(chosen.length ? [["chosen", t("rollouts.who_chosen", { count: chosen.length })]] : []),
			...group("area_id", Object.values(hass.areas ?? {})),
			...group("label_id", labels),
		]);
	}

	/** Return what was said, as the action takes it; what is undefined is not sent. */
	function said() {
		const data = new FormData(element);
		const value = (name) => (data.get(name) ?? "").trim();
		const minutes = (name) => ({ minutes: value(name) });
		const [key, id] = value("who").split(":");
		const canaries = data.getAll("canary");
		const [start, end] = [value("opens"), value("closes")];
		return {
			firmware: value("firmware"),
			version: value("version"),
			chip: value("chip") || undefined,
			running_version: value("running_version") || undefined,
			canaries: canaries.length ? canaries : value("canaries"),
			soak: minutes("soak"),
			waves: value("waves").split(/[\s,;]+/).filter(Boolean),
			pause: minutes("pause"),
			stop_when_more_than: value("stop_when_more_than") || "0",
			window: start || end ? { start, end, days: data.getAll("days") } : undefined,
			...(key === "chosen" ? { entity_id: chosen } : key && { [key]: id }),
		};
	}

	async function plan() {
		const { opens, closes } = fields;
		opens.required = closes.value !== "";
		closes.required = opens.value !== "";
		if (!element.reportValidity()) return;
		const wants = said();
		see.disabled = true;
		const answer = await act("esp_ota.plan_rollout", null, wants, true);
		see.disabled = false;
		if (!answer) return;
		show(answer, async () => {
			if (!(await act("esp_ota.start_rollout", null, wants))) return;
			show();
			see.focus();
		});
	}

	return { element, open, close: told.close, choose };
}
