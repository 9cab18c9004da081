// Every word on the page comes from a file in words/, or from the translations of the integration.

const CATEGORIES = ["entity", "selector"];

async function wordsOf(language) {
  const response = await fetch(new URL(`./words/${language}.json`, import.meta.url));
  return response.ok ? response.json() : {};
}

export class Texts {
  constructor() {
    this._localize = () => "";
  }

  /** Load the texts in the language of the person; `languages` are those that there are. */
  async load(hass, languages) {
    const wanted = [hass.language, hass.language.split("-")[0]].find((one) => languages.includes(one));
    const loaded = [...new Set([wanted ?? "en", "en"])].map(wordsOf);
    for (const category of CATEGORIES)
      this._localize = await hass.loadBackendTranslation(category, "esp_ota");
    this._words = await Promise.all(loaded);
    this._language = hass.locale?.language ?? hass.language;
    const options = { numeric: "auto", style: "short" };
    this._ago = new Intl.RelativeTimeFormat(this._language, options);
    this._number = new Intl.NumberFormat(this._language, { maximumFractionDigits: 1 });
  }

  /** Return a text of the page: `modules.title`; what is missing in a language is English. */
  t(key, values = {}) {
    const path = key.split(".");
    const found = this._words.map((words) => path.reduce((inner, name) => inner?.[name], words));
    const text = found.find((one) => typeof one === "string") ?? key;
    return text.replace(/\{(\w+)\}/g, (whole, name) => values[name] ?? whole);
  }

  /** Return any text that was loaded, empty for none. */
  of(key, values) {
    return this._localize(key, values);
  }

  /** Return the sentence of what Home Assistant refused, in the language of the person. */
  async sentence(hass, error) {
    if (!error.translation_key) return error.message;
    await this.loadMore(hass, "exceptions", error.translation_domain);
    const key = `component.${error.translation_domain}.exceptions.${error.translation_key}.message`;
    return this.of(key, error.translation_placeholders) || error.message;
  }

  /** Load texts of another integration: names of its actions, or of its conditions. */
  async loadMore(hass, category, integration) {
    this._localize = await hass.loadBackendTranslation(category, integration);
  }

  stage(stage) {
    return this._localize(`component.esp_ota.entity.sensor.stage.state.${stage}`) || stage;
  }

  verdict(verdict) {
    return this._localize(`component.esp_ota.entity.sensor.last_verdict.state.${verdict}`) || verdict;
  }

  /** Return what a list of a form calls something: a chip, a kind of image. */
  option(list, value) {
    return this._localize(`component.esp_ota.selector.${list}.options.${value}`) || value;
  }

  /** Return how long ago a moment was, in seconds since 1970. */
  ago(moment) {
    const seconds = moment - Date.now() / 1000;
    for (const [unit, size] of [["day", 86400], ["hour", 3600], ["minute", 60]])
      if (Math.abs(seconds) >= size) return this._ago.format(Math.round(seconds / size), unit);
    return this._ago.format(Math.round(seconds), "second");
  }

  number(value) {
    return this._number.format(value);
  }

  /** Return seconds as a person reads them: 12 s, 2:05. */
  duration(seconds) {
    if (seconds < 60) return `${this._number.format(seconds < 10 ? seconds : Math.round(seconds))} s`;
    const whole = Math.round(seconds);
    return `${Math.floor(whole / 60)}:${String(whole % 60).padStart(2, "0")}`;
  }

  size(bytes) {
    return bytes < 1024 * 1024
      ? `${this._number.format(bytes / 1024)} kB`
      : `${this._number.format(bytes / 1024 / 1024)} MB`;
  }
}
