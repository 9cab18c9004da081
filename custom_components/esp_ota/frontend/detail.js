// One module, opened: what it is, who said so, its equipment, and its last updates.

import { h } from "./dom.js";
import { bytesPlot, stagesPlot } from "./plot.js";
import { actionText, conditionText, loadNames } from "./safe.js";

const enabled = (steps) => (steps ?? []).filter((step) => step.enabled !== false);

export class Detail {
  constructor(page, id, line) {
    this._page = page;
    this._id = id;
    this.line = line;
    this._parts = {};
    this._boxes = Object.fromEntries(
      ["live", "act", "evidence", "facts", "equipment", "history"].map((name) => [
        name,
        h("section", { class: `part ${name}` }),
      ]),
    );
    const cell = h("td", { role: "cell", colspan: 7 }, h("div", { class: "parts" }, Object.values(this._boxes)));
    this.element = h("tr", { role: "row", class: "detail", id: `detail-${id}` }, cell);
  }

  open() {
    const command = { type: "esp_ota/module/subscribe", module: this._id };
    this._stop = this._page.subscribe(command, (told) => this._take(told));
  }

  close() {
    this._stop?.();
  }

  _t(key, values) {
    return this._page.texts.t(`detail.${key}`, values);
  }

  _take(told) {
    const news = told.all ?? told.changed ?? {};
    for (const [name, part] of Object.entries(news)) {
      this._parts[name] = { ...this._parts[name], ...part };
      this[`_draw_${name}`](this._parts[name]);
    }
  }

  _fill(name, title, ...content) {
    const shown = content.flat().filter(Boolean);
    this._boxes[name].hidden = !shown.length;
    this._boxes[name].replaceChildren(h("h3", {}, title), ...shown);
  }

  _draw_live({ points, total }) {
    const plot = points.length > 1 && total ? bytesPlot(this._page.texts, points, total) : null;
    this._fill("live", this._t("speed"), plot);
  }

  _draw_facts(facts) {
    const texts = this._page.texts;
    const rows = {
      chip: facts.chip && texts.option("chip", facts.chip),
      board: facts.board,
      address: facts.host,
      mac: facts.mac,
      ways: facts.transports.map((way) => texts.option("transports", way)).join(", "),
      slot: facts.slot && this._slot(facts),
    };
    const known = Object.entries(rows).filter(([, value]) => value);
    this._fill(
      "facts",
      this._t("facts"),
      h("dl", {}, known.flatMap(([name, value]) => [h("dt", {}, this._t(name)), h("dd", {}, value)])),
      this._links(facts),
    );
    this._draw_act(facts);
  }

  _slot(facts) {
    const size = this._page.texts.size(facts.slot);
    return facts.slot_source ? `${size} (${this._t(`slot_source.${facts.slot_source}`)})` : size;
  }

  _links(facts) {
    const inside = (path, text) =>
      h(
        "a",
        {
          href: path,
          onclick: (event) => {
            event.preventDefault();
            this._page.navigate(path);
          },
        },
        text,
      );
    return h(
      "p",
      { class: "links" },
      this.line.device && inside(`/config/devices/device/${this.line.device}`, this._t("device")),
      inside(`/config/integrations/integration/esp_ota#config_entry=${this._id}`, this._t("settings")),
      facts.page && h("a", { href: facts.page, target: "_blank", rel: "noreferrer" }, this._t("own_page")),
    );
  }

  _draw_act({ versions, rolls_back_to: back }) {
    const choice = h(
      "select",
      { "aria-label": this._t("version") },
      versions.map((version) => h("option", { value: version }, version)),
    );
    const install = () =>
      this._page.act("update", "install", [this.line.entity], { version: choice.value });
    const roll = async () => {
      const text = this._t("roll_back_asked", { module: this.line.name, version: back });
      if (await this._page.ask(this._t("roll_back"), [text], this._t("roll_back")))
        this._page.act("esp_ota", "rollback", [this.line.entity]);
    };
    this._fill(
      "act",
      this._t("act"),
      versions.length > 0 &&
        h("p", { class: "tools" }, choice, h("button", { type: "button", onclick: install }, this._t("install"))),
      back &&
        h("p", {}, h("button", { type: "button", onclick: roll }, this._t("roll_back_to", { version: back }))),
    );
  }

  _draw_evidence({ said, seen }) {
    const texts = this._page.texts;
    const items = said.map((one) =>
      h(
        "li",
        {},
        h("strong", {}, one.version ?? one.sum ?? texts.t("modules.unknown")),
        ` ${texts.t(`proof.${one.source}`)}, `,
        texts.ago(one.at),
      ),
    );
    const heard = seen && this._t("heard", { ago: texts.ago(seen) });
    this._fill(
      "evidence",
      this._t("evidence"),
      items.length ? h("ul", {}, items) : h("p", {}, this._t("nothing_said")),
      heard && h("p", { class: "faint" }, heard),
    );
  }

  async _draw_equipment({ chosen, safe_state: safe }) {
    const { texts, hass } = this._page;
    await loadNames(texts, hass, safe);
    const listed = (key, steps, text) =>
      enabled(steps).length > 0 && [
        h("h4", {}, this._t(key, { seconds: safe.stable ?? 3, limit: safe.time_limit ?? "?" })),
        h("ul", {}, enabled(steps).map((step) => h("li", {}, text(texts, hass, step)))),
      ];
    const has = enabled(safe.conditions).length > 0 && chosen !== "nothing";
    this._fill(
      "equipment",
      this._t("equipment"),
      h("p", {}, chosen ? texts.option("equipment", chosen) : this._t("not_asked")),
      has && listed("not_while", safe.inhibit, conditionText),
      has && listed("first", safe.actions, actionText),
      has && listed("until", safe.conditions, conditionText),
      has && listed("afterwards", safe.restore, actionText),
      has && listed("restored", safe.restore_conditions, conditionText),
      chosen !== "nothing" && !has && h("p", { class: "warning" }, this._t("no_safe_state")),
    );
  }

  _draw_history({ past }) {
    const texts = this._page.texts;
    const items = past.map((one) =>
      h(
        "li",
        {},
        h("strong", { "data-verdict": one.verdict }, texts.verdict(one.verdict)),
        " ",
        this._t("went", {
          before: one.before ?? texts.t("modules.unknown"),
          version: one.version,
          time: texts.duration(one.seconds),
          who: one.who ?? this._t("nobody"),
        }),
        " ",
        texts.ago(one.ended),
        h("span", { class: "faint" }, one.sentence),
        stagesPlot(texts, one.stages),
      ),
    );
    this._fill(
      "history",
      this._t("history"),
      items.length ? h("ol", { tabindex: 0, "aria-label": this._t("history") }, items) : h("p", {}, this._t("no_history")),
    );
  }
}
