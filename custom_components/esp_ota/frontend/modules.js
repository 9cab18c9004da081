// All modules in one table: what runs, what could, what happens now, and how the last update ended.

import { Detail } from "./detail.js";
import { button, faint, h, place, setText } from "./dom.js";
import { actionText, loadNames } from "./safe.js";
import { Tab, row, table, tbody } from "./tab.js";

const COLUMNS = ["name", "firmware", "runs", "offered", "stage", "verdict"];
const SHOWS = {
  all: () => true,
  offered: (line) => isOffered(line),
  busy: (line) => line.stage,
  trouble: (line) => ["failed", "refused", "unchanged", "rolled_back"].includes(line.verdict),
  away: (line) => line.reachable === false,
};

/** What may be said of the versions that modules get, by actions and their fields. */
const BOUNDS = { pin: "version", hold: "until", set_channel: "channel" };

const isOffered = (line) =>
  Boolean(line.offered && line.offered !== line.runs && line.offered !== "unknown" && !line.stage);

export default class ModulesTab extends Tab {
  constructor(page) {
    super(page, { type: "esp_ota/modules/subscribe" });
    this._chosen = new Set();
    this._details = new Map();
    this._sort = { by: "name", step: 1 };
    this._seen = [];
    this._draw();
  }

  open() {
    super.open();
    for (const detail of this._details.values()) detail.open();
    this._clock = setInterval(() => this._tick(), 1000);
  }

  close() {
    super.close();
    clearInterval(this._clock);
    for (const detail of this._details.values()) detail.close();
  }

  _draw() {
    const { t } = this;
    const names = Object.keys(SHOWS).map((name) => h("option", { value: name }, t(`modules.shows.${name}`)));
    this._show = h("select", { "aria-label": t("modules.show"), onchange: () => this.arrange() }, names);
    this._count = h("p", { class: "count", role: "status" });
    this._all = h("input", {
      type: "checkbox",
      "aria-label": t("modules.choose_all"),
      onchange: () => this._choose(this._seen, this._all.checked),
    });
    const tool = (name, fits, act) => ({ name, fits, press: button("", () => act(this._chosenOf(fits))) });
    this._tools = [
      tool("update", isOffered, (ids) => this._update(ids)),
      tool("roll_out", (line) => line.firmware, (ids) => this._rollOut(ids)),
      ...Object.keys(BOUNDS)
        .filter((name) => this.page.can(name))
        .map((name) => tool(name, () => true, (ids) => this._bind(name, ids))),
      tool("cancel", (line) => line.stage, (ids) => this._act("esp_ota.cancel", ids)),
    ];
    this._tools[0].press.className = "main";
    const heads = COLUMNS.map((name) => [name, button(t(`modules.columns.${name}`), () => this._sortBy(name))]);
    this._body = tbody();
    this._table = table(
      t("modules.title"),
      { choose: this._all, ...Object.fromEntries(heads) },
      this._body,
      { class: "choosing" },
    );
    this._empty = h("p", { class: "empty" });
    const presses = this._tools.map(({ press }) => press);
    this.element = h(
      "section",
      {},
      h("div", { class: "tools" }, this.search(t("modules.filter")), this._show, presses),
      this._count,
      this._table,
      this._empty,
    );
    this.arrange();
  }

  // What is told

  forget(id) {
    super.forget(id);
    this._chosen.delete(id);
    this._details.get(id)?.close();
    this._details.delete(id);
  }

  changed(id, news) {
    this.draw(id);
    const detail = this._details.get(id);
    if (detail) detail.line = this.items.get(id);
    if (news.does) loadNames(this.texts, this.page.hass, news).then(() => this.items.has(id) && this.draw(id));
  }

  row(id, line) {
    const { t, texts } = this;
    const names = { module: line.name, version: line.offered };
    const offered = isOffered(line);
    const label = (name) => t(`modules.columns.${name}`);
    const act = (text, label, action) =>
      button(text, () => this._act(action, [id]), { "aria-label": label });
    const cells = row(label, {
      name: [
        button(line.name, () => this._toggle(id), {
          class: "module",
          "aria-expanded": String(this._details.has(id)),
        }),
        faint(this._area(line)),
      ],
      firmware: line.firmware ?? t("modules.unknown"),
      runs: [
        line.runs ?? t("modules.unknown"),
        faint(line.proof && t(`proof.${line.proof}`)),
        faint(line.pinned && t("modules.pinned", { version: line.pinned })),
        faint(line.held && t("modules.held", { time: texts.moment(line.held) })),
      ],
      offered: offered && [
        line.offered,
        act(t("modules.update"), t("modules.update_one", names), "update.install"),
      ],
      stage: [
        this._doing(line),
        line.stage && [
          h("progress", { max: 100, value: line.percent, "aria-label": t("modules.progress_of", names) }),
          act(t("modules.cancel"), t("modules.cancel_one", names), "esp_ota.cancel"),
        ],
      ],
      verdict: line.verdict && [
        h("strong", { "data-verdict": line.verdict }, texts.verdict(line.verdict)),
        faint(line.sentence),
      ],
    });
    const choose = h("input", {
      type: "checkbox",
      ".checked": this._chosen.has(id),
      "aria-label": t("modules.choose", names),
      onchange: (event) => this._choose([id], event.target.checked),
    });
    cells.prepend(h("td", { role: "cell", class: "choose" }, choose));
    return cells;
  }

  /** Return what a module does now, in words. */
  _doing(line) {
    const { t, texts } = this;
    if (!line.stage) return line.reachable === false && t("modules.away");
    if (line.waits) return line.waits;
    const does = (line.does ?? []).map((step) => actionText(texts, this.page.hass, step)).join(", ");
    const words = [texts.stage(line.stage) + (does && `: ${does}`)];
    if (line.percent !== null) words.push(`${line.percent} %`);
    else if (line.since) {
      const took = texts.duration(Math.max(0, Math.round(Date.now() / 1000 - line.since)));
      words.push(line.limit ? t("modules.took_of", { took, limit: texts.duration(line.limit) }) : took);
    }
    if (line.waits_for) words.push(t("modules.waits_for", { what: line.waits_for }));
    return words.join(" ");
  }

  _tick() {
    for (const [id, line] of this.items) if (line.stage) this.draw(id);
  }

  _toggle(id) {
    const opened = this._details.get(id);
    if (opened) {
      opened.close();
      this._details.delete(id);
    } else {
      const detail = new Detail(this.page, id, this.items.get(id));
      this._details.set(id, detail);
      detail.open();
    }
    this.draw(id);
    this.arrange();
  }

  _area(line) {
    const { devices, areas } = this.page.hass;
    return areas?.[devices?.[line.device]?.area_id]?.name ?? "";
  }

  // What the person looks for

  _sortBy(name) {
    this._sort = { by: name, step: this._sort.by === name ? -this._sort.step : 1 };
    this.arrange();
  }

  arrange() {
    const shows = SHOWS[this._show.value];
    const { by, step } = this._sort;
    const order = new Intl.Collator(this.page.hass.language, { numeric: true });
    const seen = [...this.items].filter(
      ([, line]) => shows(line) && this.fits(line.name, line.firmware, line.runs, this._area(line)),
    );
    const value = (line) => (by === "verdict" ? line.ended : line[by]) ?? "";
    seen.sort(
      ([, a], [, b]) => step * order.compare(value(a), value(b)) || order.compare(a.name, b.name),
    );
    this._seen = seen.map(([id]) => id);
    const rows = this._seen.flatMap((id) => [this.rows.get(id), this._details.get(id)?.element]);
    place(this._body, rows.filter(Boolean));
    for (const head of this._table.querySelectorAll("th"))
      head.ariaSort = head.className === by ? (step > 0 ? "ascending" : "descending") : null;
    setText(this._count, this.t("modules.count", { shown: seen.length, all: this.items.size }));
    this._empty.hidden = seen.length > 0;
    setText(this._empty, this.t(this.items.size ? "modules.none_found" : "modules.none"));
    this._countChosen();
  }

  _choose(ids, wanted) {
    for (const id of ids) {
      if (wanted) this._chosen.add(id);
      else this._chosen.delete(id);
      this.draw(id);
    }
    this._countChosen();
  }

  _chosenOf(fits) {
    return [...this._chosen].filter((id) => fits(this.items.get(id)));
  }

  _countChosen() {
    for (const { name, fits, press } of this._tools) {
      const count = this._chosenOf(fits).length;
      setText(press, this.t(`modules.${name}_chosen`, { count }));
      press.disabled = !count;
    }
  }

  // What the person does

  _act(action, ids, data) {
    return this.page.act(action, ids.map((id) => this.items.get(id).entity), data);
  }

  _update(ids) {
    this.page.announce(this.t("modules.updating", { count: ids.length }));
    this._act("update.install", ids);
  }

  async _rollOut(ids) {
    const lines = ids.map((id) => this.items.get(id));
    const rollouts = await this.page.go("rollouts");
    rollouts?.choose(lines[0].firmware, lines.map((line) => line.entity));
  }

  /** Ask what modules may have, and say so: a pin, a hold, a channel. */
  async _bind(name, ids) {
    const { option, action, field } = this.texts;
    const of = field(name, BOUNDS[name]);
    const about = { "aria-label": of.title };
    const channels = ["stable", "beta"].map((value) => h("option", { value }, option("module_channel", value)));
    const input = {
      pin: () => h("input", { ...about, value: this.items.get(ids[0]).pinned }),
      hold: () => h("input", { ...about, type: "datetime-local" }),
      set_channel: () => h("select", about, channels),
    }[name]();
    const title = action(name);
    if (await this.page.ask(title, [of.help, input], title))
      this._act(`esp_ota.${name}`, ids, { [BOUNDS[name]]: input.value });
  }
}
