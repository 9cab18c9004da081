// All modules in one table.

import { detail, ending } from "./detail.js";
import { button, choice, faint, h, place, setText } from "./dom.js";
import { cell, feed, row, search, table, tbody } from "./feed.js";
import { actionText, loadNames } from "./safe.js";
import { act, announce, ask, hass } from "./talk.js";
import { action, duration, field, moment, option, stateOf, t } from "./texts.js";

const COLUMNS = ["name", "firmware", "runs", "offered", "stage", "verdict"];
const SHOWS = {
	all: () => true,
	offered: (line) => isOffered(line),
	busy: (line) => line.stage,
	trouble: (line) => ["failed", "refused", "unchanged", "rolled_back"].includes(line.verdict),
	away: (line) => line.reachable === false,
};

const isOffered = ({ offered, runs, stage }) => offered && offered !== runs && offered !== "unknown" && !stage;

const head = (name) => t(`modules.columns.${name}`);

const areaOf = ({ device }) => hass.areas?.[hass.devices?.[device]?.area_id]?.name ?? "";

/** Return how far the update of a module is. */
export const bar = ({ name: module, percent }, attributes) =>
	h("progress", { max: 100, value: percent, "aria-label": t("modules.progress_of", { module }), ...attributes });

/** Return what cancels the update of a module. */
export function cancel({ name: module, entity }) {
	const label = t("modules.cancel_one", { module });
	return button(t("modules.cancel"), () => act("esp_ota.cancel", entity), { "aria-label": label });
}

/** Return what a module does now, in words. */
export function doing({ stage, reachable, does, waits, percent, since, limit, waits_for: what }) {
	if (!stage) return reachable === false && t("modules.away");
	if (waits) return waits;
	const actions = (does ?? []).map(actionText).join(", ");
	const words = [stateOf("stage", stage) + (actions && `: ${actions}`)];
	if (percent !== null) words.push(`${percent} %`);
	else if (since) {
		const took = duration(Math.max(0, Math.round(Date.now() / 1000 - since)));
		words.push(limit ? t("modules.took_of", { took, limit: duration(limit) }) : took);
	}
	if (what) words.push(t("modules.waits_for", { what }));
	return words.join(" ");
}

function line(one, opener) {
	const update = () => act("update.install", one.entity);
	const label = t("modules.update_one", { module: one.name, version: one.offered });
	return row(head, {
		name: [opener, faint(areaOf(one))],
		firmware: one.firmware ?? t("modules.unknown"),
		runs: [
			one.runs ?? t("modules.unknown"),
			faint(one.proof && t(`proof.${one.proof}`)),
			faint(one.pinned && t("modules.pinned", { version: one.pinned })),
			faint(one.held && t("modules.held", { time: moment(one.held) })),
		],
		offered: isOffered(one) && [one.offered, button(t("modules.update"), update, { "aria-label": label })],
		stage: [doing(one), one.stage && [bar(one), cancel(one)]],
		verdict: one.verdict && [ending(one.verdict), faint(one.sentence)],
	});
}

/** `go` opens another tab, and returns it once it is there. */
export default function modules(go) {
	const { items, rows, parts, draw, ...told } = feed("modules", { row: lineToChoose, changed, arrange });
	const sort = { by: "name", step: 1 };
	/** Ids, in the order in which they were chosen. */
	const chosen = new Set();
	let seen = [];
	let clock;
	const tick = () => {
		for (const [id, { stage }] of items) if (stage) draw(id);
	};
	parts.set("clock", {
		open: () => (clock = setInterval(tick, 1000)),
		close: () => clearInterval(clock),
	});

	function changed(id, news) {
		draw(id);
		if (news.does) loadNames(news).then(() => items.has(id) && draw(id));
	}

	function lineToChoose(id, one) {
		const attributes = { class: "module", "aria-expanded": String(parts.has(id)) };
		const whole = line(one, button(one.name, () => toggle(id), attributes));
		const label = t("modules.choose", { module: one.name });
		const onchange = ({ target }) => choose([id], target.checked);
		const box = { type: "checkbox", checked: chosen.has(id), "aria-label": label, onchange };
		whole.prepend(cell("choose", h("input", box)));
		return whole;
	}

	function toggle(id) {
		if (parts.has(id)) {
			parts.get(id).close();
			parts.delete(id);
		} else {
			parts.set(id, detail(id, () => items.get(id)));
			parts.get(id).open();
		}
		draw(id);
		arrange();
	}

	// What the person looks for

	const { input, fits } = search(t("modules.filter"), arrange);
	const kinds = Object.keys(SHOWS).map((name) => [name, t(`modules.shows.${name}`)]);
	const shows = choice(kinds, { "aria-label": t("modules.show"), onchange: arrange });
	const count = h("p.empty", { role: "status" });
	const all = h("input", {
		type: "checkbox",
		"aria-label": t("modules.choose_all"),
		onchange: () => choose(seen, all.checked),
	});
	const body = tbody();
	const lines = table(
		t("modules.title"),
		["choose", ...COLUMNS],
		(name) => (name === "choose" ? all : button(head(name), () => sortBy(name))),
		body,
	);
	lines.className = "choosing";

	function sortBy(name) {
		sort.step = sort.by === name ? -sort.step : 1;
		sort.by = name;
		arrange();
	}

	function arrange() {
		for (const id of chosen) if (!items.has(id)) chosen.delete(id);
		const { by, step } = sort;
		const order = new Intl.Collator(hass.language, { numeric: true });
		const value = (one) => (by === "verdict" ? one.ended : one[by]) ?? "";
		const found = [...items].filter(
			([, one]) => SHOWS[shows.value](one) && fits(one.name, one.firmware, one.runs, areaOf(one)),
		);
		found.sort(([, a], [, b]) => step * order.compare(value(a), value(b)) || order.compare(a.name, b.name));
		seen = found.map(([id]) => id);
		place(body, seen.flatMap((id) => [rows.get(id), parts.get(id)?.element]).filter(Boolean));
		for (const one of lines.querySelectorAll("th"))
			one.ariaSort = one.className === by ? (step > 0 ? "ascending" : "descending") : null;
		const said = seen.length ? "modules.count" : items.size ? "modules.none_found" : "modules.none";
		setText(count, t(said, { shown: seen.length, all: items.size }));
		countChosen();
	}

	// What the person does with those that are chosen

	const linesChosen = () => [...chosen].map((id) => items.get(id));
	const tool = (name, isFit, use) => ({ name, isFit, press: button("", () => use(linesChosen().filter(isFit))) });
	const actAll = (action, those, data) => act(action, those.map(({ entity }) => entity), data);
	const tools = [
		tool("update", isOffered, (those) => {
			announce(t("modules.updating", { count: those.length }));
			actAll("update.install", those);
		}),
		tool("roll_out", ({ firmware }) => firmware, async (those) => (await go("rollouts"))?.choose(those)),
		bound("pin", "version", ([first]) => h("input", { value: first.pinned })),
		bound("hold", "until", () => h("input", { type: "datetime-local" })),
		bound("set_channel", "channel", () =>
			choice(["stable", "beta"].map((value) => [value, option("module_channel", value)])),
		),
		tool("cancel", ({ stage }) => stage, (those) => actAll("esp_ota.cancel", those)),
	];
	tools[0].press.className = "main";

	/** Return what performs an action with one field, which `make` makes. */
	function bound(name, asked, make) {
		return tool(name, () => true, async (those) => {
			const { title, help } = field(name, asked);
			const input = make(those);
			input.ariaLabel = title;
			const does = action(name);
			if (await ask(does, [help, input], does)) actAll(`esp_ota.${name}`, those, { [asked]: input.value });
		});
	}

	function choose(ids, isWanted) {
		for (const id of ids) {
			rows.get(id).querySelector("input").checked = isWanted;
			chosen[isWanted ? "add" : "delete"](id);
		}
		countChosen();
	}

	function countChosen() {
		const those = linesChosen();
		for (const { name, isFit, press } of tools) {
			const count = those.filter(isFit).length;
			setText(press, t(`modules.${name}_chosen`, { count }));
			press.disabled = !count;
		}
	}

	arrange();
	const tops = [input, shows, ...tools.map(({ press }) => press)];
	return { element: h("section", h("div.tools", tops), count, lines), ...told };
}
