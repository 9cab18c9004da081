// Words: from a file in words/, or from the translations of the integration.

let hass;
let language;
let words;
let localize;
let shortAgo;
let shortMoment;

const wordsOf = async (language) => (await fetch(new URL(`./words/${language}.json`, import.meta.url))).json();

/** Load the texts in the language of the person, or in English. */
export async function load(given, languages) {
	hass = given;
	const wanted = [hass.language, hass.language.split("-")[0], "en"].find((one) => languages.includes(one));
	const loading = Promise.all([wanted, "en"].map(wordsOf));
	for (const category of ["entity", "selector", "services"]) await loadMore(category, "esp_ota");
	words = await loading;
	language = hass.locale?.language ?? hass.language;
	shortAgo = new Intl.RelativeTimeFormat(language, { numeric: "auto", style: "short" });
	shortMoment = new Intl.DateTimeFormat(language, {
		day: "numeric",
		month: "short",
		hour: "2-digit",
		minute: "2-digit",
		hour12: { 12: true, 24: false }[hass.locale?.time_format],
		timeZone: hass.locale?.time_zone === "server" ? hass.config.time_zone : undefined,
	});
}

/** Load texts of an integration. */
export async function loadMore(category, integration) {
	localize = await hass.loadBackendTranslation(category, integration);
}

/** Return a text of the page; what a language lacks is English, a value that is not known `?`. */
export function t(key, values = {}) {
	const path = key.split(".");
	const found = words.map((one) => path.reduce((inner, name) => inner?.[name], one));
	return (found.find(Boolean) ?? key).replace(/\{(\w+)\}/g, (_whole, name) => values[name] ?? "?");
}

/** Return any text of an integration that was loaded, empty for none. */
export const localized = (key, values) => localize(key, values);

/** Return why Home Assistant refused something. */
export async function sentence(error) {
	const { translation_domain: domain, translation_key: key } = error;
	if (!key) return error.message;
	await loadMore("exceptions", domain);
	const found = localize(`component.${domain}.exceptions.${key}.message`, error.translation_placeholders);
	return found || error.message;
}

const ours = (path) => localize(`component.esp_ota.${path}`);

/** Return a state as one of our sensors calls it. */
export const stateOf = (sensor, state) => ours(`entity.sensor.${sensor}.state.${state}`) || state;

/** Return how a module of a rollout stands. */
export const memberState = (state) => ours(`entity.sensor.rollout.state_attributes.${state}.name`) || state;

/** Return what a list of a form calls something. */
export const option = (list, value) => ours(`selector.${list}.options.${value}`) || value;

export const action = (name) => ours(`services.${name}.name`);

/** Return name and help of a field of an action. */
export function field(action, name) {
	const field = `services.${action}.fields.${name}`;
	return { title: ours(`${field}.name`), help: ours(`${field}.description`) };
}

/** Return how long ago a moment was: seconds since 1970, or text. */
export function ago(moment) {
	const seconds = (typeof moment === "string" ? Date.parse(moment) / 1000 : moment) - Date.now() / 1000;
	for (const [unit, size] of [["day", 86400], ["hour", 3600], ["minute", 60]])
		if (Math.abs(seconds) >= size) return shortAgo.format(Math.round(seconds / size), unit);
	return shortAgo.format(Math.round(seconds), "second");
}

/** Return a moment by day and clock. */
export const moment = (written) => shortMoment.format(new Date(written));

export const span = (begin, end) => shortMoment.formatRange(new Date(begin), new Date(end));

export const number = (value) => value.toLocaleString(language, { maximumFractionDigits: 1 });

/** Return seconds as a person reads them: 12 s, 2:05. */
export function duration(seconds) {
	if (seconds < 60) return `${number(seconds)} s`;
	const whole = Math.round(seconds);
	return `${Math.floor(whole / 60)}:${String(whole % 60).padStart(2, "0")}`;
}

export const size = (bytes) =>
	bytes < 1024 * 1024 ? `${number(bytes / 1024)} kB` : `${number(bytes / 1024 / 1024)} MB`;
