// The library: every release with its chip, where it came from, and who runs it.

import { button, choice, faint, h, place, setText } from "./dom.js";
import { feed, row, search, table, tbody } from "./feed.js";
import { act, announce, ask, chips, complain, hass } from "./talk.js";
import { ago, field, option, size, t } from "./texts.js";

const COLUMNS = ["release", "for", "from", "signature", "runs_on", "remove"];
const BY_HAND = ["action", "build", "folder", "recovered", "upload"];
const SIGNATURE = ".minisig";

const head = (name) => t(`library.columns.${name}`);

const chipText = (chip) => (chip ? option("chip", chip) : t("library.any_chip"));

function line(_sha256, { source, ...release }) {
	const name = `${release.firmware} ${release.version}`;
	const kind = release.kind !== "sketch" && (release.filesystem || option("kind", release.kind));
	const label = t("library.remove_one", { release: name });
	return row(head, {
		release: [h("span.module", name), faint(release.notes)],
		for: [[chipText(release.chip), kind].filter(Boolean).join(", "), faint(size(release.size))],
		from: [BY_HAND.includes(source) ? t(`library.sources.${source}`) : source, faint(ago(release.added))],
		signature: t(`library.signatures.${release.signature}`),
		runs_on: release.runs_on.join(", "),
		remove: button(t("library.remove"), () => remove(release, name), { "aria-label": label }),
	});
}

async function remove(release, name) {
	const named = (key, modules) => modules.length > 0 && t(key, { modules: modules.join(", ") });
	const lost = [
		t("library.lost.image"),
		named("library.lost.runs_on", release.runs_on),
		named("library.lost.goes_back", release.goes_back),
		release.waited_for && t("library.lost.waited_for"),
	].filter(Boolean);
	if (await ask(t("library.remove_asked", { release: name }), lost, t("library.remove")))
		act("esp_ota.remove_firmware", null, { sha256: release.sha256 });
}

/** A file on its way into it: read first, corrected where need be, and kept when wanted. */
function upload(file) {
	let signature;
	let turn = 0;
	const again = { onchange: look };
	const fields = {
		firmware: h("input", again),
		version: h("input", again),
		chip: choice(chips(t("library.any_chip")), again),
		notes: h("textarea", { rows: 2 }),
	};
	const form = h("form.fields", Object.entries(fields).map(([name, input]) => {
		input.name = name;
		return h("label", field("add_firmware", name).title, input);
	}));
	const answer = h("p", { role: "status" });
	const problem = h("p.warning", { role: "alert" });
	const keep = button(t("upload.keep"), send, { class: "main" });
	const element = h(
		"article.card",
		{ "aria-label": file.name },
		h("h3", file.name),
		answer,
		problem,
		form,
		h("p.tools", keep, button(t("upload.discard"), () => element.remove())),
	);
	look();

	/** Send the file with what is known of it; returns what was answered. */
	async function post(more) {
		const body = new FormData();
		const known = { ...Object.fromEntries(new FormData(form)), signature, ...more };
		for (const [name, value] of Object.entries(known)) if (value?.trim()) body.append(name, value.trim());
		body.append("file", file, file.name);
		try {
			const response = await hass.fetchWithAuth("/api/esp_ota/firmware", { method: "POST", body });
			const silence = () => ({ error: "?", message: t("upload.no_answer", { status: response.status }) });
			return await response.json().catch(silence);
		} catch (error) {
			return { error: "?", message: error.message };
		}
	}

	async function look() {
		keep.disabled = true;
		answer.textContent = t("upload.looking");
		const mine = ++turn;
		const told = await post({ look: "1" });
		if (mine === turn) show(told);
	}

	function show(told) {
		const { kind, error, new: isNew, firmware, version, message } = told;
		problem.textContent = message ?? "";
		form.hidden = keep.hidden = !kind || isNew === false;
		keep.disabled = Boolean(error);
		fields.chip.parentElement.hidden = kind !== "filesystem";
		fields.firmware.value ||= firmware ?? "";
		fields.version.value ||= version ?? "";
		const values = {
			...told,
			chip: chipText(told.chip),
			kind: kind && option("kind", kind),
			size: told.size && size(told.size),
		};
		if (isNew === false) answer.textContent = t("upload.known", values);
		else if (firmware) answer.textContent = t("upload.is", values);
		else answer.textContent = kind ? t("upload.unnamed", values) : t("upload.unusable");
	}

	async function send() {
		keep.disabled = true;
		const told = await post({ source: "upload" });
		if (told.error) return show(told);
		const offered = told.offered_to.join(", ") || t("upload.nobody");
		announce(t("upload.kept", { ...told, offered }));
		element.remove();
	}

	/** Take the signature that came as a file beside it. */
	function sign(text) {
		signature = text;
		look();
	}

	return { element, sign };
}

export default function library() {
	const { items, rows, ...told } = feed("library", { row: line, arrange });
	const { input, fits } = search(t("library.filter"), arrange);
	const count = h("p.empty", { role: "status" });
	const body = tbody();

	function arrange() {
		const seen = [...items].filter(([, { firmware, version, chip, source }]) =>
			fits(firmware, version, chip, source),
		);
		seen.sort(([, a], [, b]) => a.firmware.localeCompare(b.firmware) || b.order - a.order);
		place(body, seen.map(([sha256]) => rows.get(sha256)));
		setText(count, t("library.count", { shown: seen.length, all: items.size }));
	}

	// Files that are brought

	/** By the names of their signatures. */
	const uploads = new Map();
	const coming = h("div");
	const files = h("input", { type: "file", multiple: true, hidden: true, accept: `.bin,.gz,${SIGNATURE}` });
	files.onchange = () => {
		bring([...files.files]);
		files.value = "";
	};
	const choose = button(t("library.choose_files"), () => files.click());
	const drop = h("div.drop", h("p", t("library.drop")), choose, files);
	const over = (isOver) => (event) => {
		event.preventDefault();
		drop.classList.toggle("over", isOver);
		if (event.type === "drop") bring([...event.dataTransfer.files]);
	};

	async function bring(brought) {
		const isSignature = ({ name }) => name.endsWith(SIGNATURE);
		for (const file of brought.filter((one) => !isSignature(one))) {
			const one = upload(file);
			uploads.set(file.name + SIGNATURE, one);
			coming.append(one.element);
		}
		for (const file of brought.filter(isSignature)) {
			const signed = uploads.get(file.name);
			if (signed?.element.isConnected) signed.sign(await file.text());
			else complain(t("library.signature_alone", { file: file.name }));
		}
	}

	const element = h(
		"section",
		{ ondragover: over(true), ondragleave: over(false), ondrop: over(false) },
		drop,
		coming,
		h("div.tools", input),
		count,
		table(t("library.title"), COLUMNS, head, body),
	);
	return { element, ...told };
}
