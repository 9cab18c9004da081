// What is told by a subscription: things by their ids; and the tables in which they are shown.

import { become, h } from "./dom.js";
import { subscribe } from "./talk.js";

/**
 * Follow what is told of things of a kind. `row` returns the element of one; `changed` is called
 * instead of drawing it anew, then `arrange`, which puts all in their places.
 */
export function feed(kind, { row, arrange, changed }, which = {}) {
	const items = new Map();
	const rows = new Map();
	/** What is opened and closed with it; by the id of a thing: goes with that. */
	const parts = new Map();
	let stop;

	function take(told) {
		const news = Object.entries(told.all ?? told.changed ?? {});
		const gone = told.all ? [...items.keys()].filter((id) => !(id in told.all)) : (told.gone ?? []);
		for (const id of gone) {
			parts.get(id)?.close();
			for (const known of [items, rows, parts]) known.delete(id);
		}
		for (const [id, item] of news) items.set(id, { ...items.get(id), ...item });
		for (const [id, item] of news) (changed ?? draw)(id, item);
		arrange?.();
	}

	/** Draw one thing, or draw it anew; returns its element. */
	function draw(id) {
		const fresh = row(id, items.get(id));
		if (!rows.has(id)) rows.set(id, fresh);
		else become(rows.get(id), fresh);
		return rows.get(id);
	}

	function close() {
		stop?.();
		stop = undefined;
		for (const part of parts.values()) part.close();
	}

	function open() {
		close();
		stop = subscribe({ type: `esp_ota/${kind}/subscribe`, ...which }, take);
		for (const part of parts.values()) part.open();
	}

	return { items, rows, parts, draw, open, close };
}

/** Return a field to look for things with, and what tells whether something that shows so fits. */
export function search(label, oninput) {
	const input = h("input", { type: "search", "aria-label": label, placeholder: label, oninput });
	const fits = (...shown) => {
		const text = shown.join(" ").toLowerCase();
		return input.value.toLowerCase().split(/\s+/).every((word) => text.includes(word));
	};
	return { input, fits };
}

/** Return a table; `head` returns what stands above a column. */
export function table(label, columns, head, body) {
	const heads = columns.map((name) => h(`th.${name}`, { role: "columnheader" }, head(name)));
	const top = h("thead", { role: "rowgroup" }, h("tr", { role: "row" }, heads));
	return h("table", { role: "table", "aria-label": label }, top, body);
}

export const tbody = (...rows) => h("tbody", { role: "rowgroup" }, rows);

export const cell = (name, content, attributes = {}) => h(`td.${name}`, { role: "cell", ...attributes }, content);

/** Return a row of cells by the names of their columns; `head` names one on a phone. */
export function row(head, cells) {
	const told = Object.entries(cells).map(([name, content]) => cell(name, content, { "data-label": head(name) }));
	return h("tr", { role: "row" }, told);
}
