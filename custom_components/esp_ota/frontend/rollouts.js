// Rollouts: a new one with its plan, those that run, and the reports of earlier ones.

import { button, faint, h, place } from "./dom.js";
import { feed, row, table, tbody } from "./feed.js";
import { form } from "./rollout_form.js";
import { doing } from "./modules.js";
import { act, announce, ask } from "./talk.js";
import { action, ago, duration, memberState, moment, span, stateOf, t } from "./texts.js";

const COLUMNS = ["wave", "name", "versions", "time", "state"];
const OPEN = ["planned", "running", "paused"];

const head = (name) => t(`rollouts.columns.${name}`);

function waveText(wave) {
	if (wave === null) return t("rollouts.left_out");
	return wave === 0 || wave === "canaries" ? t("rollouts.canaries") : t("rollouts.wave", { number: wave });
}

function line({ wave, module, from, to, time, state }) {
	const versions = to && t("rollouts.versions", { before: from ?? t("modules.unknown"), version: to });
	return row(head, { wave: waveText(wave), name: h("strong", module), versions, time, state });
}

const modulesTable = (body) => table(t("modules.title"), COLUMNS, head, body);

/** Return the modules of one rollout, as they stand. */
function members(rollout) {
	const body = tbody();
	const arrange = () => place(body, [...rows.values()]);
	const { rows, ...told } = feed("rollout", { row: member, arrange }, { rollout });

	function member(_at, one) {
		const now = one.stage ? doing(one) : one.sentence;
		const state = one.wave === null ? one.sentence : [memberState(one.state), faint(now)];
		return line({ ...one, time: one.seconds !== null && duration(one.seconds), state });
	}

	return { element: modulesTable(body), ...told };
}

export default function rollouts() {
	const { items, rows, parts, ...told } = feed("rollouts", { row: standing, arrange });
	const planned = h("div");
	const fresh = form(show);
	const running = h("div");
	const over = h("div");
	parts.set("form", fresh);

	// What is going to be done

	function show(plan, start) {
		planned.replaceChildren();
		if (!plan) return;
		const time = ({ begins, ends }) => (begins ? span(begins, ends) : t("rollouts.never"));
		const lines = plan.waves.flatMap(({ wave, modules }) =>
			modules.map((one) => line({ wave, ...one, time: time(one), state: one.blocked_by })),
		);
		const left = plan.left_out.map(({ module, sentence }) => line({ wave: null, module, state: sentence }));
		const versions = new Set(plan.waves.flatMap(({ modules }) => modules.map(({ to }) => to)));
		const version = versions.size === 1 ? [...versions][0] : plan.version;
		const title = t("rollouts.planned", { ...plan, version });
		announce(title);
		planned.append(
			h("h3", title),
			h("p", plan.ends ? t("rollouts.ends", { time: moment(plan.ends) }) : t("rollouts.never")),
			modulesTable(tbody(lines, left)),
			button(t("rollouts.start"), start, { class: "main" }),
		);
	}

	// What is done, or was

	function arrange() {
		const order = [...items].sort(([, a], [, b]) => (a.began < b.began ? 1 : -1));
		for (const [list, isOpen] of [[running, true], [over, false]]) {
			const shown = order.filter(([, { state }]) => OPEN.includes(state) === isOpen);
			place(list, shown.map(([id]) => card(id, isOpen)));
		}
	}

	function card(id, open) {
		if (!parts.has(id)) {
			const shown = members(id);
			const ontoggle = () => (details.open ? shown.open() : shown.close());
			const details = h("details", { open, ontoggle }, h("summary", t("modules.title")), shown.element);
			const element = h("article.card", rows.get(id), details);
			parts.set(id, { element, open: ontoggle, close: shown.close });
		}
		return parts.get(id).element;
	}

	function standing(rollout, { state, counts, wave, modules, ...one }) {
		const release = `${one.firmware} ${one.version}`;
		const isOpen = OPEN.includes(state);
		const value = modules - (counts.waits ?? 0) - (counts.begun ?? 0);
		const tool = (name, asks) => {
			const text = action(name);
			const press = async () => {
				const title = t("rollouts.cancel_asked", { release });
				if (!asks || (await ask(title, [t("rollouts.cancel_means")], text)))
					act(`esp_ota.${name}`, null, { rollout });
			};
			return button(text, press, { "aria-label": `${text}: ${release}` });
		};
		const counted = Object.entries(counts)
			.filter(([, count]) => count)
			.map(([name, count]) => `${memberState(name)}: ${count}`);
		const since = t(isOpen ? "rollouts.began" : "rollouts.ended", { ago: ago(one.ended ?? one.began) });
		const rests = isOpen && one.rest_ends && t("rollouts.rests", { time: moment(one.rest_ends * 1000) });
		return h(
			"div",
			h("h3", `${release}: ${stateOf("rollout", state)}`),
			h("p", [isOpen && waveText(wave), ...counted].filter(Boolean).join(" · ")),
			faint([since, rests].filter(Boolean).join(" · ")),
			isOpen && [
				h("progress", { max: modules, value, "aria-label": t("rollouts.progress_of", { release }) }),
				h(
					"p.tools",
					state !== "planned" && tool(state === "paused" ? "resume_rollout" : "pause_rollout"),
					tool("cancel_rollout", true),
				),
			],
		);
	}

	const element = h(
		"section",
		running,
		h("section.card", h("h2", t("rollouts.new")), fresh.element, planned),
		over,
	);
	return { element, ...told, choose: fresh.choose };
}
