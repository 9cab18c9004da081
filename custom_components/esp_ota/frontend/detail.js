// One module, opened: what it is, who said so, its equipment, and its last updates.

import { become, button, choice, faint, h } from "./dom.js";
import { cell, feed } from "./feed.js";
import { loadNames, safeState } from "./safe.js";
import { act, ask, subscribe } from "./talk.js";
import { action, ago, duration, field, loadMore, localized, number, option, size, stateOf, t } from "./texts.js";

const SPOKEN = { "aria-live": "polite" };
const UNSPOKEN = { "aria-hidden": "true" };

/** Draw how bytes came along; `points` are [seconds, bytes], `total` all bytes there are. */
function live({ points, total }) {
	if (points.length < 2 || !total) return false;
	const [seconds, bytes] = points.at(-1);
	const label = t("plot.bytes", {
		sent: size(bytes),
		total: size(total),
		seconds: number(seconds),
		speed: seconds ? size(bytes / seconds) : undefined,
	});
	const at = ([second, sent]) => `${(100 * second) / (seconds || 1)}% ${100 - (100 * sent) / total}%`;
	const style = `clip-path: polygon(0 100%, ${points.map(at)}, 100% 100%)`;
	return h("figure", h("div.plot", { role: "img", "aria-label": label, style }), h("figcaption", UNSPOKEN, label));
}

/** Draw how long an update was in each stage; what took no time is left out. */
function stagesPlot(stages) {
	const took = Object.entries(stages).filter(([, seconds]) => seconds >= 0.1);
	if (!took.length) return false;
	const bars = took.map(([, seconds]) => h("span", { style: `flex: ${seconds}` }));
	const label = took.map(([name, seconds]) => `${stateOf("stage", name)} ${duration(seconds)}`).join(" · ");
	return h("figure", h("div.stages", UNSPOKEN, bars), h("figcaption", label));
}

/** Return how an update ended. */
export const ending = (verdict) =>
	h("strong", { "data-verdict": verdict }, stateOf("last_verdict", verdict));

function actions({ versions, rolls_back_to: version }, { name: module, entity }) {
	if (!versions.length && !version) return false;
	const install = ({ currentTarget }) =>
		act("update.install", entity, { version: currentTarget.previousSibling.value });
	const roll = async () => {
		const title = action("rollback");
		if (await ask(title, [t("detail.roll_back_asked", { module, version })], title))
			act("esp_ota.rollback", entity);
	};
	const all = choice(versions.map((one) => [one, one]), { "aria-label": t("detail.version") });
	return [
		versions.length > 0 && h("p.tools", all, button(t("detail.install"), install)),
		version && h("p", button(t("detail.roll_back_to", { version }), roll)),
	];
}

function evidence({ said, seen }) {
	const items = said.map(({ version, sum, source, at }) =>
		h("li", h("strong", version ?? sum ?? t("modules.unknown")), ` ${t(`proof.${source}`)}, ${ago(at)}`),
	);
	return [
		items.length ? h("ul", items) : h("p", t("detail.nothing_said")),
		h("p", faint(seen && t("detail.heard", { ago: ago(seen) }))),
	];
}

function facts({ slot, slot_source: source, ...known }, { device }, id) {
	const said = source ? ` (${t(`detail.slot_source.${source}`)})` : "";
	const pairs = [
		[field("add_firmware", "chip").title, known.chip && option("chip", known.chip)],
		[t("detail.board"), known.board],
		[t("detail.address"), known.host],
		[t("detail.mac"), known.mac],
		[t("detail.ways"), known.transports.map((way) => option("transports", way)).join(", ")],
		[t("detail.slot"), slot && size(slot) + said],
	];
	const entry = `/config/integrations/integration/esp_ota#config_entry=${id}`;
	const own = { href: known.page, target: "_blank", rel: "noreferrer" };
	return [
		h("dl", pairs.filter(([, value]) => value).map(([name, value]) => [h("dt", name), h("dd", value)])),
		h(
			"p.tools",
			device && h("a", { href: `/config/devices/device/${device}` }, t("detail.device")),
			h("a", { href: entry }, t("detail.settings")),
			known.page && h("a", own, t("detail.own_page")),
		),
	];
}

function equipment({ chosen, safe_state: safe }) {
	const words = chosen === "nothing" ? [] : safeState(safe);
	return [
		h("p", chosen ? option("equipment", chosen) : t("detail.not_asked")),
		words,
		chosen !== "nothing" && !words.length && h("p.warning", t("detail.no_safe_state")),
	];
}

function history({ past }) {
	const items = past.map((one) => {
		const went = t("detail.went", {
			before: one.before ?? t("modules.unknown"),
			version: one.version,
			time: duration(one.seconds),
			who: one.who ?? t("detail.nobody"),
		});
		return h("li", ending(one.verdict), ` ${went} ${ago(one.ended)}`, faint(one.sentence), stagesPlot(one.stages));
	});
	if (!items.length) return h("p", t("detail.no_history"));
	return h("ol", { tabindex: 0, "aria-label": t("detail.history") }, items);
}

/** A try of its safe state: asked for, watched step by step, and what became of it. */
function trial(id, named) {
	const start = button(t("safe.try"), begin);
	const told = h("div", SPOKEN);
	const end = () => (start.disabled = false);
	let stop;

	async function begin() {
		const title = t("safe.try_asked", { module: named() });
		if (!(await ask(title, [t("safe.try_moves")], t("safe.try")))) return;
		await loadMore("options", "esp_ota");
		stop?.();
		stop = subscribe({ type: "esp_ota/module/try_safe_state", module: id }, take, end);
		start.disabled = true;
	}

	function take({ seconds, waits_for, done, sentence }) {
		const names = { module: named(), waits_for };
		const steps = Object.entries(seconds).map(([step, took]) => {
			const name = localized(`component.esp_ota.options.progress.${step}`, names).replace(/ ?(…|\.+)$/, "");
			return h("li", t("safe.took", { step: name, seconds: number(took) }));
		});
		const ended = t(sentence ? "safe.tried_badly" : "safe.tried_well", { sentence });
		const verdict = done && (sentence ? "failed" : "verified");
		const now = h("p", { "data-verdict": verdict }, done ? ended : t("safe.trying"));
		become(told, h("div", SPOKEN, h("ol", steps), now));
		if (done) end();
	}

	return { element: h("section.part", { hidden: true }, start, told), open() {}, close: () => stop?.() };
}

/** What is shown of what is told, each under its title. */
const PARTS = {
	live: ["detail.speed", live],
	actions: ["detail.act", actions],
	evidence: ["detail.evidence", evidence],
	facts: ["detail.facts", facts],
	equipment: ["detail.equipment", equipment],
	history: ["detail.history", history],
};

/** `line` returns what is known of the module without opening it. */
export function detail(id, line) {
	const { items, rows, parts, draw, ...told } = feed("module", { row, changed }, { module: id });
	const tried = trial(id, () => line().name);
	parts.set("try", tried);
	for (const name of Object.keys(PARTS)) rows.set(name, h("section", { hidden: true }));
	const boxes = [...rows].map(([name, box]) => (name === "equipment" ? h("div", box, tried.element) : box));

	async function changed(name) {
		if (name === "equipment") await loadNames(items.get(name).safe_state);
		draw(name);
		if (name === "facts") draw("actions");
		tried.element.hidden = !rows.get("equipment").querySelector("ul");
	}

	/** Draw a part; what can be done is told with the facts. */
	function row(name, part = items.get("facts")) {
		const [title, show] = PARTS[name];
		const shown = show(part, line(), id);
		return h(`section.part.${name}`, { hidden: !shown }, h("h3", t(title)), shown);
	}

	const element = h("tr.detail", { role: "row" }, cell("opened", h("div.parts", boxes), { colspan: 7 }));
	return { element, ...told };
}
