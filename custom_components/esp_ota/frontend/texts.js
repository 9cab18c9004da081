// Every word on the page comes from a file in words/, or from the translations of the integration.

const CATEGORIES = ["entity", "selector", "services"];

async function wordsOf(language) {
  const response = await fetch(new URL(`./words/${language}.json`, import.meta.url));
  return response.ok ? response.json() : {};
}

/** Fill the placeholders of a text. */
const filled = (text, values) => text.replace(/\{(\w+)\}/g, (whole, name) => values[name] ?? whole);

export class Texts {
  /** Load the texts in the language of the person; `languages` are those that there are. */
  async load(hass, languages) {
    const wanted = [hass.language, hass.language.split("-")[0], "en"].find((one) => languages.includes(one));
    const loading = [...new Set([wanted, "en"])].map(wordsOf);
    for (const category of CATEGORIES) await this.loadMore(hass, category, "esp_ota");
    this._words = await Promise.all(loading);
    const language = hass.locale?.language ?? hass.language;
    this._ago = new Intl.RelativeTimeFormat(language, { numeric: "auto", style: "short" });
    this._number = new Intl.NumberFormat(language, { maximumFractionDigits: 1 });
    this._moment = new Intl.DateTimeFormat(language, {
      day: "numeric",
      month: "short",
      hour: "2-digit",
      minute: "2-digit",
      hour12: { 12: true, 24: false }[hass.locale?.time_format],
      timeZone: hass.locale?.time_zone === "server" ? hass.config.time_zone : undefined,
    });
    const day = new Intl.DateTimeFormat(language, { weekday: "short", timeZone: "UTC" });
    // The fifth of January 1970 was a Monday.
    this.days = [4, 5, 6, 7, 8, 9, 10].map((since) => day.format(since * 86400_000));
  }

  /** Return a text of the page: `modules.title`; what is missing in a language is English. */
  t = (key, values = {}) => {
    const path = key.split(".");
    const found = this._words.map((words) => path.reduce((inner, name) => inner?.[name], words));
    return filled(found.find(Boolean) ?? key, values);
  };

  /** Return any text of an integration that was loaded, empty for none. */
  of = (key, values) => this._localize(key, values);

  /** Load texts of an integration: names of its actions, or of its conditions. */
  async loadMore(hass, category, integration) {
    this._localize = await hass.loadBackendTranslation(category, integration);
  }

  /** Return the sentence of what Home Assistant refused, in the language of the person. */
  async sentence(hass, error) {
    const domain = error.translation_domain;
    if (!error.translation_key) return error.message;
    await this.loadMore(hass, "exceptions", domain);
    const key = `component.${domain}.exceptions.${error.translation_key}.message`;
    return this.of(key, error.translation_placeholders) || error.message;
  }

  _ours = (path) => this._localize(`component.esp_ota.${path}`);

  stage = (stage) => this._ours(`entity.sensor.stage.state.${stage}`) || stage;

  verdict = (verdict) => this._ours(`entity.sensor.last_verdict.state.${verdict}`) || verdict;

  rollout = (state) => this._ours(`entity.sensor.rollout.state.${state}`) || state;

  /** Return what a module of a rollout is: updated, failed. */
  member = (state) => this._ours(`entity.sensor.rollout.state_attributes.${state}.name`) || state;

  /** Return what a list of a form calls something: a chip, a kind of image. */
  option = (list, value) => this._ours(`selector.${list}.options.${value}`) || value;

  action = (name) => this._ours(`services.${name}.name`);

  /** Return how an action of ours calls one of its fields, and what it says of it. */
  field = (action, name) => {
    const field = `services.${action}.fields.${name}`;
    return { title: this._ours(`${field}.name`), help: this._ours(`${field}.description`) };
  };

  /** Return how long ago a moment was, in seconds since 1970 or as it is written down. */
  ago = (moment) => {
    const seconds = (typeof moment === "string" ? Date.parse(moment) / 1000 : moment) - Date.now() / 1000;
    for (const [unit, size] of [["day", 86400], ["hour", 3600], ["minute", 60]])
      if (Math.abs(seconds) >= size) return this._ago.format(Math.round(seconds / size), unit);
    return this._ago.format(Math.round(seconds), "second");
  };

  /** Return a moment by day and clock. */
  moment = (written) => this._moment.format(new Date(written));

  span = (begin, end) => this._moment.formatRange(new Date(begin), new Date(end));

  number = (value) => this._number.format(value);

  /** Return seconds as a person reads them: 12 s, 2:05. */
  duration = (seconds) => {
    if (seconds < 60) return `${this.number(seconds < 10 ? seconds : Math.round(seconds))} s`;
    const whole = Math.round(seconds);
    return `${Math.floor(whole / 60)}:${String(whole % 60).padStart(2, "0")}`;
  };

  size = (bytes) =>
    bytes < 1024 * 1024 ? `${this.number(bytes / 1024)} kB` : `${this.number(bytes / 1024 / 1024)} MB`;
}
