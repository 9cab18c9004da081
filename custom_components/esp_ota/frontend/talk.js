// What is said to Home Assistant and to the person.

import { button, h } from "./dom.js";
import { option, sentence, t } from "./texts.js";

/** What Home Assistant and the integration give to the page. */
export let hass;
export let config;

export const setHass = (given) => (hass = given);

export const setConfig = (given) => (config = given);

/** Where the person is told of something, whichever tab is open. */
export const alert = h("div.alert", { role: "alert", hidden: true });
export const status = h("div.unseen", { role: "status" });

/** Say what went wrong, until the next thing is done. */
export function complain(message) {
	alert.replaceChildren(h("p", message), button(t("common.close"), () => (alert.hidden = true)));
	alert.hidden = false;
}

/** Say to who listens what is to be seen. */
export const announce = (message) => (status.textContent = message);

/** Return whether the person wants something that cannot be taken back. */
export function ask(title, lines, yes) {
	const dialog = h(
		"dialog",
		{ "aria-label": title },
		h("h2", title),
		lines.map((line) => h("p", line)),
		h(
			"form.tools",
			{ method: "dialog" },
			button(t("common.not_now"), () => dialog.close(), { autofocus: true }),
			h("button.main", { value: "yes" }, yes),
		),
	);
	alert.after(dialog);
	dialog.showModal();
	return new Promise((resolve) => {
		dialog.onclose = () => {
			dialog.remove();
			resolve(dialog.returnValue === "yes");
		};
	});
}

/** Subscribe to one of our commands; returns what ends it. */
export function subscribe(command, take, failed) {
	const unsubscribing = hass.connection.subscribeMessage(take, command);
	unsubscribing.catch(async (error) => {
		failed?.();
		complain(error.code === "not_found" ? t("common.not_there") : await sentence(error));
	});
	return () => unsubscribing.then((stop) => stop(), () => undefined);
}

/** Perform an action as an automation would; returns its answer, none where it was refused. */
export async function act(name, entities, data = {}, answers = false) {
	alert.hidden = true;
	const target = entities ? { entity_id: entities } : undefined;
	try {
		const told = await hass.callService(...name.split("."), data, target, false, answers);
		return told?.response ?? {};
	} catch (error) {
		complain(await sentence(error));
		return undefined;
	}
}

/** Return what may be chosen as a chip, `any` for none. */
export const chips = (any) => [["", any], ...config.chips.map((chip) => [chip, option("chip", chip)])];
