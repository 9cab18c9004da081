// What a person says of a new rollout: the fields of the action that plans it.

import { button, h } from "./dom.js";

const TEXTS = ["running_version", "waves", "stop_when_more_than"];
const MINUTES = ["soak", "pause"];
const DAYS = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"];

const options = (pairs) => pairs.map(([value, text]) => h("option", { value }, text));

/** Let a list offer these; what is wanted is chosen, as soon as it is there. */
function offer(select, offered, wanted = select.value) {
  select.replaceChildren(...offered);
  select.value = wanted;
  if (select.selectedIndex < 0) select.selectedIndex = 0;
}

export class Form {
  /** `show` gets a plan and what starts it, or nothing when there is none any more. */
  constructor(page, show) {
    this._page = page;
    this._show = show;
    this._chosen = [];
    this._labels = [];
    this._draw();
  }

  open() {
    const { connection } = this._page.hass;
    this._stop = this._page.subscribe({ type: "esp_ota/library/subscribe" }, (told) => {
      this._library = { ...this._library, ...told.all, ...told.changed };
      for (const sha256 of told.gone ?? []) delete this._library[sha256];
      this._offer();
    });
    connection.sendMessagePromise({ type: "config/label_registry/list" }).then((labels) => {
      this._labels = labels;
      this._offer();
    });
  }

  close() {
    this._stop?.();
  }

  choose(firmware, entities) {
    this._chosen = entities;
    this._firmware = firmware;
    this._offer();
    this._fields.who.value = "chosen";
    this._show();
  }

  _draw() {
    const { t, field, days } = this._page.texts;
    const number = { type: "number", min: 0, value: 0 };
    const inputs = {
      firmware: h("select", {
        onchange: (event) => {
          this._firmware = event.target.value;
          this._offer();
        },
      }),
      version: h("select"),
      who: h("select"),
      chip: h("select", {}, this._page.chips(t("rollouts.any"))),
      canaries: h("input", { ...number, value: 1 }),
      ...Object.fromEntries(MINUTES.map((name) => [name, h("input", number)])),
      ...Object.fromEntries(TEXTS.map((name) => [name, h("input")])),
      opens: h("input", { type: "time" }),
      closes: h("input", { type: "time" }),
    };
    inputs.stop_when_more_than.value = "0";
    inputs.stop_when_more_than.pattern = "[0-9.]+ *%?";
    inputs.waves.pattern = "([0-9.]+%?[ ,;]*)*";
    this._fields = inputs;
    const own = { who: t("rollouts.who"), opens: t("rollouts.opens"), closes: t("rollouts.closes") };
    const labels = Object.entries(inputs).map(([name, input]) => {
      const { title, help } = field("plan_rollout", name);
      const what = own[name] ?? title;
      const text = MINUTES.includes(name) ? t("rollouts.minutes", { what }) : what;
      const id = `help-${name}`;
      const helps = help && input.localName === "input";
      if (helps) input.setAttribute("aria-describedby", id);
      return h("div", {}, h("label", {}, text, input), helps && h("span", { class: "faint", id }, help));
    });
    this._days = DAYS.map((day, at) => {
      const box = h("input", { type: "checkbox", value: day, ".checked": true });
      return h("label", { class: "day" }, box, days[at]);
    });
    const chosen = h("fieldset", {}, h("legend", {}, t("rollouts.days")), this._days);
    this._see = button(t("rollouts.plan"), () => this._plan(), { class: "main" });
    this.element = h(
      "form",
      { onsubmit: (event) => event.preventDefault(), oninput: () => this._show() },
      h("div", { class: "fields" }, labels, chosen),
      h("p", { class: "tools" }, this._see),
    );
    this._offer();
  }

  /** Offer what there is: firmware, its versions, places and labels. */
  _offer() {
    const { t, field } = this._page.texts;
    const { firmware, version, who } = this._fields;
    const releases = Object.values(this._library ?? {}).sort((a, b) => b.order - a.order);
    const unique = (values) => [...new Set(values)].map((value) => [value, value]);
    offer(firmware, options(unique(releases.map((one) => one.firmware).sort())), this._firmware);
    const versions = releases.filter((one) => one.firmware === firmware.value).map((one) => one.version);
    offer(version, options([["newest", t("rollouts.newest")], ...unique(versions)]));
    const group = (name, pairs) =>
      pairs.length ? [h("optgroup", { label: field("plan_rollout", name).title }, options(pairs))] : [];
    const areas = Object.values(this._page.hass.areas ?? {}).map((one) => [`area_id:${one.area_id}`, one.name]);
    const labels = this._labels.map((one) => [`label_id:${one.label_id}`, one.name]);
    const count = this._chosen.length;
    offer(who, [
      ...options([["", t("rollouts.who_all")]]),
      ...options(count ? [["chosen", t("rollouts.who_chosen", { count })]] : []),
      ...group("area_id", areas),
      ...group("label_id", labels),
    ]);
  }

  /** Return what was said, as the action takes it. */
  _said() {
    const value = (name) => this._fields[name].value.trim();
    const [key, id] = value("who").split(":");
    const days = this._days.map((label) => label.firstChild).filter((box) => box.checked);
    const said = {
      firmware: value("firmware"),
      version: value("version"),
      canaries: Number(value("canaries")),
      waves: value("waves").split(/[\s,;]+/).filter(Boolean),
      stop_when_more_than: value("stop_when_more_than") || "0",
    };
    for (const name of MINUTES) said[name] = { minutes: Number(value(name)) };
    for (const name of ["chip", "running_version"]) if (value(name)) said[name] = value(name);
    if (key === "chosen") said.entity_id = this._chosen;
    else if (key) said[key] = id;
    if (value("opens") || value("closes"))
      said.window = { start: value("opens"), end: value("closes"), days: days.map((box) => box.value) };
    return said;
  }

  async _plan() {
    const { opens, closes } = this._fields;
    opens.required = closes.value !== "";
    closes.required = opens.value !== "";
    if (!this.element.reportValidity()) return;
    const said = this._said();
    this._see.disabled = true;
    const plan = await this._page.act("esp_ota.plan_rollout", null, said, true);
    this._see.disabled = false;
    if (!plan) return;
    this._show(plan, async () => {
      if (!(await this._page.act("esp_ota.start_rollout", null, said))) return;
      this._show();
      this._see.focus();
    });
  }
}
