// One module, opened: what it is, who said so, its equipment, and its last updates.

import { become, button, faint, h } from "./dom.js";
import { bytesPlot, stagesPlot } from "./plot.js";
import { safeState } from "./safe.js";
import { Try } from "./try.js";

const TITLES = {
  live: "detail.speed",
  act: "detail.act",
  evidence: "detail.evidence",
  facts: "detail.facts",
  equipment: "detail.equipment",
  history: "detail.history",
};

export class Detail {
  constructor(page, id, line) {
    this._page = page;
    this._texts = page.texts;
    this._id = id;
    this.line = line;
    this._parts = {};
    this._boxes = Object.fromEntries(
      Object.keys(TITLES).map((name) => [name, h("section", { hidden: true })]),
    );
    this._try = new Try(page, id, () => this.line.name);
    const { equipment } = this._boxes;
    const boxes = Object.values(this._boxes).map((box) =>
      box === equipment ? h("div", {}, box, this._try.element) : box,
    );
    const cell = h("td", { role: "cell", colspan: 7 }, h("div", { class: "parts" }, boxes));
    this.element = h("tr", { role: "row", class: "detail" }, cell);
  }

  open() {
    const command = { type: "esp_ota/module/subscribe", module: this._id };
    this._stop = this._page.subscribe(command, (told) => this._take(told));
  }

  close() {
    this._stop?.();
    this._try.close();
  }

  _take(told) {
    for (const [name, news] of Object.entries(told.all ?? told.changed)) {
      const part = (this._parts[name] = { ...this._parts[name], ...news });
      this._show(name, this[`_${name}`](part));
      if (name === "facts") this._show("act", this._act(part));
    }
  }

  async _show(name, drawing) {
    const drawn = [await drawing].flat(Infinity).filter(Boolean);
    const title = h("h3", {}, this._texts.t(TITLES[name]));
    become(this._boxes[name], h("section", { class: `part ${name}`, hidden: !drawn.length }, title, drawn));
  }

  _live({ points, total }) {
    return points.length > 1 && total && bytesPlot(this._texts, points, total);
  }

  _facts(facts) {
    const { t, option, field, size } = this._texts;
    const source = facts.slot_source && ` (${t(`detail.slot_source.${facts.slot_source}`)})`;
    const known = [
      [field("add_firmware", "chip").title, facts.chip && option("chip", facts.chip)],
      [t("detail.board"), facts.board],
      [t("detail.address"), facts.host],
      [t("detail.mac"), facts.mac],
      [t("detail.ways"), facts.transports.map((way) => option("transports", way)).join(", ")],
      [t("detail.slot"), facts.slot && size(facts.slot) + (source ?? "")],
    ].filter(([, value]) => value);
    return [
      h("dl", {}, known.map(([name, value]) => [h("dt", {}, name), h("dd", {}, value)])),
      this._links(facts),
    ];
  }

  _links(facts) {
    const { t } = this._texts;
    const inside = (href, text) => {
      const onclick = (event) => {
        event.preventDefault();
        this._page.navigate(href);
      };
      return h("a", { href, onclick }, text);
    };
    return h(
      "p",
      { class: "links" },
      this.line.device && inside(`/config/devices/device/${this.line.device}`, t("detail.device")),
      inside(`/config/integrations/integration/esp_ota#config_entry=${this._id}`, t("detail.settings")),
      facts.page && h("a", { href: facts.page, target: "_blank", rel: "noreferrer" }, t("detail.own_page")),
    );
  }

  _act({ versions, rolls_back_to: version }) {
    const { t, action } = this._texts;
    const choice = h(
      "select",
      { "aria-label": t("detail.version") },
      versions.map((one) => h("option", { value: one }, one)),
    );
    const install = () => {
      const chosen = this._boxes.act.querySelector("select").value;
      this._page.act("update.install", [this.line.entity], { version: chosen });
    };
    const roll = async () => {
      const text = t("detail.roll_back_asked", { module: this.line.name, version });
      if (await this._page.ask(action("rollback"), [text], action("rollback")))
        this._page.act("esp_ota.rollback", [this.line.entity]);
    };
    return [
      versions.length > 0 && h("p", { class: "tools" }, choice, button(t("detail.install"), install)),
      version && h("p", {}, button(t("detail.roll_back_to", { version }), roll)),
    ];
  }

  _evidence({ said, seen }) {
    const { t, ago } = this._texts;
    const items = said.map((one) =>
      h(
        "li",
        {},
        h("strong", {}, one.version ?? one.sum ?? t("modules.unknown")),
        ` ${t(`proof.${one.source}`)}, ${ago(one.at)}`,
      ),
    );
    return [
      items.length ? h("ul", {}, items) : h("p", {}, t("detail.nothing_said")),
      h("p", {}, faint(seen && t("detail.heard", { ago: ago(seen) }))),
    ];
  }

  async _equipment({ chosen, safe_state: safe }) {
    const { t, option } = this._texts;
    const words = chosen === "nothing" ? [] : await safeState(this._texts, this._page.hass, safe);
    this._try.element.hidden = !words.length;
    return [
      h("p", {}, chosen ? option("equipment", chosen) : t("detail.not_asked")),
      words,
      chosen !== "nothing" && !words.length && h("p", { class: "warning" }, t("detail.no_safe_state")),
    ];
  }

  _history({ past }) {
    const { t, ago, duration, verdict } = this._texts;
    const items = past.map((one) => {
      const went = t("detail.went", {
        before: one.before ?? t("modules.unknown"),
        version: one.version,
        time: duration(one.seconds),
        who: one.who ?? t("detail.nobody"),
      });
      return h(
        "li",
        {},
        h("strong", { "data-verdict": one.verdict }, verdict(one.verdict)),
        ` ${went} ${ago(one.ended)}`,
        faint(one.sentence),
        stagesPlot(this._texts, one.stages),
      );
    });
    if (!items.length) return h("p", {}, t("detail.no_history"));
    return h("ol", { tabindex: 0, "aria-label": t("detail.history") }, items);
  }
}
