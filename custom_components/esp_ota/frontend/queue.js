// The queue of the house: who is updated, and who waits for what.

import { button, faint, h, place } from "./dom.js";
import { feed } from "./feed.js";
import { bar, cancel, doing } from "./modules.js";
import { act } from "./talk.js";
import { t } from "./texts.js";

export default function queue() {
	const list = h("ol.queue");
	const none = h("p.empty", t("queue.none"));
	const element = h("section", none, list);
	let last;
	const { items, draw, ...told } = feed("queue", { row, arrange, changed() {} });

	function arrange() {
		const order = [...items].sort(
			([, a], [, b]) => (a.place ?? 0) - (b.place ?? 0) || a.name.localeCompare(b.name),
		);
		last = order.at(-1)?.[1].place;
		place(list, order.map(([id]) => draw(id)));
		none.hidden = items.size > 0;
	}

	function row(_id, line) {
		const waits = line.place !== null;
		const move = (step, text, label, end) =>
			button(text, () => act("esp_ota.move_in_queue", line.entity, { place: line.place + step }), {
				hidden: !waits,
				disabled: line.place === end,
				"aria-label": label,
			});
		const names = { module: line.name };
		return h(
			"li.card",
			h("strong", waits ? `${line.place}. ${line.name}` : line.name),
			faint(doing(line)),
			bar(line, { hidden: waits }),
			h(
				"p.tools",
				move(-1, t("queue.up"), t("queue.up_one", names), 1),
				move(1, t("queue.down"), t("queue.down_one", names), last),
				cancel(line),
			),
		);
	}

	return { element, ...told };
}
