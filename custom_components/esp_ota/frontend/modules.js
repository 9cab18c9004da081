// All modules in one table: what runs, what could, what happens now, and how the last update ended.

import { Detail } from "./detail.js";
import { h, place, setAttribute, setText } from "./dom.js";
import { actionText, loadNames } from "./safe.js";

const COLUMNS = ["name", "firmware", "runs", "offered", "stage", "verdict"];
const SHOWS = {
  all: () => true,
  offered: (line) => isOffered(line),
  busy: (line) => line.stage !== null,
  trouble: (line) => ["failed", "refused", "unchanged", "rolled_back"].includes(line.verdict),
  away: (line) => line.reachable === false,
};

const isOffered = (line) =>
  Boolean(line.offered && line.offered !== line.runs && line.offered !== "unknown" && !line.stage);

export class ModulesTab {
  constructor(page) {
    this._page = page;
    this._lines = new Map();
    this._rows = new Map();
    this._chosen = new Set();
    this._opened = new Set();
    this._sort = { by: "name", step: 1 };
    this._draw();
  }

  open() {
    this._stop = this._page.subscribe({ type: "esp_ota/modules/subscribe" }, (told) =>
      this._take(told),
    );
    this._clock = setInterval(() => this._tick(), 1000);
  }

  close() {
    this._stop?.();
    clearInterval(this._clock);
    for (const row of this._rows.values()) row.detail?.close();
  }

  _t(key, values) {
    return this._page.texts.t(`modules.${key}`, values);
  }

  _draw() {
    this._filter = h("input", {
      type: "search",
      "aria-label": this._t("filter"),
      placeholder: this._t("filter"),
      oninput: () => this._arrange(),
    });
    this._show = h(
      "select",
      { "aria-label": this._t("show"), onchange: () => this._arrange() },
      Object.keys(SHOWS).map((name) => h("option", { value: name }, this._t(`shows.${name}`))),
    );
    this._update = h("button", { type: "button", class: "main", onclick: () => this._updateChosen() });
    this._cancel = h("button", { type: "button", onclick: () => this._cancelChosen() });
    this._count = h("p", { class: "count", role: "status" });
    this._all = h("input", {
      type: "checkbox",
      "aria-label": this._t("choose_all"),
      onchange: () => this._chooseAll(),
    });
    this._heads = Object.fromEntries(COLUMNS.map((name) => [name, this._head(name)]));
    this._body = h("tbody", { role: "rowgroup" });
    this._empty = h("p", { class: "empty", hidden: true });
    this.element = h(
      "section",
      {},
      h("div", { class: "tools" }, this._filter, this._show, this._update, this._cancel),
      this._count,
      h(
        "table",
        { role: "table", "aria-label": this._t("title") },
        h(
          "thead",
          { role: "rowgroup" },
          h(
            "tr",
            { role: "row" },
            h("th", { role: "columnheader", class: "choose" }, this._all),
            Object.values(this._heads),
          ),
        ),
        this._body,
      ),
      this._empty,
    );
    this._arrange();
  }

  _head(name) {
    const sort = () => {
      this._sort = { by: name, step: this._sort.by === name ? -this._sort.step : 1 };
      this._arrange();
    };
    return h(
      "th",
      { role: "columnheader", class: name },
      h("button", { type: "button", onclick: sort }, this._t(`columns.${name}`)),
    );
  }

  // What is told

  _take(told) {
    if (told.all) {
      this._lines = new Map(Object.entries(told.all));
      for (const row of this._rows.values()) row.detail?.close();
      this._rows.clear();
    }
    for (const [id, news] of Object.entries(told.changed ?? {}))
      this._lines.set(id, { ...this._lines.get(id), ...news });
    for (const id of told.gone ?? []) {
      this._lines.delete(id);
      this._rows.get(id)?.detail?.close();
      this._rows.delete(id);
      this._chosen.delete(id);
      this._opened.delete(id);
    }
    for (const id of told.all ? this._lines.keys() : Object.keys(told.changed ?? {}))
      this._fill(id);
    this._arrange();
  }

  _fill(id) {
    if (!this._rows.has(id)) this._rows.set(id, this._row(id));
    const line = this._lines.get(id);
    const row = this._rows.get(id);
    const texts = this._page.texts;
    if (row.detail) row.detail.line = line;
    setText(row.name, line.name);
    setText(row.area, this._area(line));
    setText(row.firmware, line.firmware ?? this._t("unknown"));
    setText(row.runs, line.runs ?? this._t("unknown"));
    setText(row.proof, line.proof ? texts.t(`proof.${line.proof}`) : "");
    const offered = isOffered(line);
    setText(row.offered, offered ? line.offered : "");
    setText(row.stage, this._doing(line));
    if (line.does) this._nameDoing(id, line.does);
    row.bar.hidden = !line.stage;
    setAttribute(row.bar, "value", line.percent);
    row.bar.setAttribute("aria-label", this._t("progress_of", { module: line.name }));
    const ended = Boolean(line.verdict);
    setText(row.verdict, ended ? texts.verdict(line.verdict) : "");
    row.verdict.dataset.verdict = line.verdict ?? "";
    setText(row.sentence, (ended && line.sentence) || "");
    row.choose.setAttribute("aria-label", this._t("choose", { module: line.name }));
    row.update.hidden = !offered;
    row.cancel.hidden = !line.stage;
    const names = { module: line.name, version: line.offered ?? "" };
    setAttribute(row.update, "aria-label", this._t("update_one", names));
    setAttribute(row.cancel, "aria-label", this._t("cancel_one", names));
    for (const [cell, isEmpty] of [
      [row.offered, !offered],
      [row.stage, !row.stage.textContent],
      [row.verdict, !ended],
    ])
      cell.parentElement.classList.toggle("empty", isEmpty);
  }

  _row(id) {
    const row = {
      choose: h("input", { type: "checkbox", onchange: () => this._choose(id) }),
      name: h("button", {
        type: "button",
        class: "module",
        "aria-expanded": "false",
        onclick: () => this._toggle(id),
      }),
      area: h("span", { class: "faint" }),
      firmware: h("span"),
      runs: h("span"),
      proof: h("span", { class: "faint" }),
      offered: h("span"),
      stage: h("span"),
      bar: h("progress", { max: 100, hidden: true }),
      verdict: h("strong"),
      sentence: h("span", { class: "faint" }),
      update: h(
        "button",
        { type: "button", onclick: () => this._page.act("update", "install", this._cards([id])) },
        this._t("update"),
      ),
      cancel: h(
        "button",
        { type: "button", onclick: () => this._page.act("esp_ota", "cancel", this._cards([id])) },
        this._t("cancel"),
      ),
    };
    const cell = (name, ...children) => h("td", { role: "cell", class: name, "data-label": this._t(`columns.${name}`) }, ...children);
    row.element = h(
      "tr",
      { role: "row" },
      h("td", { role: "cell", class: "choose" }, row.choose),
      cell("name", row.name, row.area),
      cell("firmware", row.firmware),
      cell("runs", row.runs, row.proof),
      cell("offered", row.offered, row.update),
      cell("stage", row.stage, row.bar, row.cancel),
      cell("verdict", row.verdict, row.sentence),
    );
    row.choose.checked = this._chosen.has(id);
    if (this._opened.has(id)) this._openRow(row, id);
    return row;
  }

  /** Return what a module does now, in words. */
  _doing(line) {
    const texts = this._page.texts;
    if (!line.stage) return line.reachable === false ? this._t("away") : "";
    const does = (line.does ?? []).map((step) => actionText(texts, this._page.hass, step)).join(", ");
    const words = [texts.stage(line.stage) + (does && `: ${does}`)];
    if (line.percent !== null) words.push(`${line.percent} %`);
    else if (line.since) {
      const took = texts.duration(Math.max(0, Math.round(Date.now() / 1000 - line.since)));
      const of = line.limit && this._t("took_of", { took, limit: texts.duration(line.limit) });
      words.push(of || took);
    }
    if (line.waits) return `${line.place}. ${line.waits}`;
    if (line.waits_for) words.push(this._t("waits_for", { what: line.waits_for }));
    return words.join(" ");
  }

  /** Name what is done to the equipment, once the names are there. */
  async _nameDoing(id, does) {
    await loadNames(this._page.texts, this._page.hass, { does });
    const row = this._rows.get(id);
    if (row) setText(row.stage, this._doing(this._lines.get(id)));
  }

  _tick() {
    for (const [id, line] of this._lines)
      if (line.stage) setText(this._rows.get(id).stage, this._doing(line));
  }

  _toggle(id) {
    const row = this._rows.get(id);
    if (row.detail) {
      row.detail.close();
      row.detail = undefined;
      this._opened.delete(id);
      row.name.setAttribute("aria-expanded", "false");
    } else {
      this._openRow(row, id);
    }
    this._arrange();
  }

  _openRow(row, id) {
    this._opened.add(id);
    row.detail = new Detail(this._page, id, this._lines.get(id));
    row.detail.open();
    row.name.setAttribute("aria-expanded", "true");
  }

  _area(line) {
    const hass = this._page.hass;
    const area = hass.devices?.[line.device]?.area_id;
    return hass.areas?.[area]?.name ?? "";
  }

  // What the person looks for

  _arrange() {
    const words = this._filter.value.toLowerCase().split(/\s+/).filter(Boolean);
    const shows = SHOWS[this._show.value] ?? SHOWS.all;
    const { by, step } = this._sort;
    const order = new Intl.Collator(this._page.hass.language, { numeric: true });
    const seen = [...this._lines].filter(([, line]) => {
      const text = [line.name, line.firmware, line.runs, this._area(line)].join(" ").toLowerCase();
      return shows(line) && words.every((word) => text.includes(word));
    });
    const value = (line) => (by === "verdict" ? line.ended : line[by]) ?? "";
    seen.sort(
      ([, a], [, b]) =>
        step * order.compare(value(a), value(b)) || order.compare(a.name, b.name),
    );
    this._seen = seen.map(([id]) => id);
    const rows = this._seen.flatMap((id) => {
      const { element, detail } = this._rows.get(id);
      return detail ? [element, detail.element] : [element];
    });
    place(this._body, rows);
    for (const [name, head] of Object.entries(this._heads)) {
      const direction = step > 0 ? "ascending" : "descending";
      setAttribute(head, "aria-sort", name === by ? direction : null);
    }
    setText(this._count, this._t("count", { shown: seen.length, all: this._lines.size }));
    this._empty.hidden = seen.length > 0;
    setText(this._empty, this._t(this._lines.size ? "none_found" : "none"));
    this._buttons();
  }

  _choose(id) {
    if (this._rows.get(id).choose.checked) this._chosen.add(id);
    else this._chosen.delete(id);
    this._buttons();
  }

  _chooseAll() {
    for (const id of this._seen) {
      this._rows.get(id).choose.checked = this._all.checked;
      if (this._all.checked) this._chosen.add(id);
      else this._chosen.delete(id);
    }
    this._buttons();
  }

  _of(chosen, fits) {
    return [...chosen].filter((id) => this._lines.has(id) && fits(this._lines.get(id)));
  }

  _buttons() {
    const update = this._of(this._chosen, isOffered).length;
    const cancel = this._of(this._chosen, (line) => line.stage).length;
    setText(this._update, this._t("update_chosen", { count: update }));
    setText(this._cancel, this._t("cancel_chosen", { count: cancel }));
    this._update.disabled = !update;
    this._cancel.disabled = !cancel;
  }

  // What the person does

  _cards(ids) {
    return ids.map((id) => this._lines.get(id).entity);
  }

  _updateChosen() {
    const ids = this._of(this._chosen, isOffered);
    this._page.announce(this._t("updating", { count: ids.length }));
    this._page.act("update", "install", this._cards(ids));
  }

  _cancelChosen() {
    this._page.act("esp_ota", "cancel", this._cards(this._of(this._chosen, (line) => line.stage)));
  }
}
