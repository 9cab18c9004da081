// Rollouts: a new one with its plan, those that run wave by wave, and the reports of earlier ones.

import { button, faint, h, place } from "./dom.js";
import { Form } from "./rollout_form.js";
import { Tab, row, table, tbody } from "./tab.js";

const COLUMNS = ["wave", "name", "versions", "time", "state"];
const OPEN = ["planned", "running", "paused"];

const waveText = (t, wave) => {
  if (wave === null) return t("rollouts.left_out");
  return wave === 0 || wave === "canaries" ? t("rollouts.canaries") : t("rollouts.wave", { number: wave });
};

function line({ t }, { wave, module, from, to, time, state }) {
  const versions = to && t("rollouts.versions", { before: from ?? t("modules.unknown"), version: to });
  const cells = { wave: waveText(t, wave), name: h("strong", {}, module), versions, time, state };
  return row((name) => t(`rollouts.columns.${name}`), cells);
}

function members({ t }, body) {
  const heads = Object.fromEntries(COLUMNS.map((name) => [name, t(`rollouts.columns.${name}`)]));
  return table(t("modules.title"), heads, body);
}

/** The modules of one rollout, as they stand. */
class Members extends Tab {
  constructor(page, rollout) {
    super(page, { type: "esp_ota/rollout/subscribe", rollout });
    this._body = tbody();
    this.element = members(this.texts, this._body);
  }

  arrange() {
    place(this._body, [...this.items.keys()].sort((a, b) => a - b).map((at) => this.rows.get(at)));
  }

  row(_at, one) {
    const { member, duration } = this.texts;
    const doing = one.state === "begun" && this._doing(one);
    const state = one.wave === null ? one.sentence : [member(one.state), faint(doing || one.sentence)];
    return line(this.texts, { ...one, time: one.seconds !== null && duration(one.seconds), state });
  }

  /** Return what a module of the rollout does now, as its card says it. */
  _doing({ entity }) {
    const { stage, queue_sentence: waits, update_percentage: percent } =
      this.page.hass.states[entity]?.attributes ?? {};
    return waits ?? (stage && this.texts.stage(stage) + (percent === null ? "" : ` ${percent} %`));
  }

  hassChanged() {
    for (const [at, one] of this.items) {
      const card = this.page.hass.states[one.entity];
      if (one.state !== "begun" || card === one.card) continue;
      one.card = card;
      this.draw(at);
    }
  }
}

export default class RolloutsTab extends Tab {
  constructor(page) {
    super(page, { type: "esp_ota/rollouts/subscribe" });
    this._cards = new Map();
    this._form = new Form(page, (plan, start) => this._show(plan, start));
    this._planned = h("div");
    this._open = h("div");
    this._over = h("div");
    const title = h("h2", {}, this.t("rollouts.new"));
    const fresh = h("section", { class: "card" }, title, this._form.element, this._planned);
    this.element = h("section", {}, this._open, fresh, this._over);
  }

  open() {
    super.open();
    this._form.open();
    for (const { details, shown } of this._cards.values()) if (details.open) shown.open();
  }

  close() {
    super.close();
    this._form.close();
    for (const { shown } of this._cards.values()) shown.close();
  }

  hassChanged() {
    for (const { details, shown } of this._cards.values()) if (details.open) shown.hassChanged();
  }

  /** Choose the modules and the firmware of a new one. */
  choose(firmware, entities) {
    this._form.choose(firmware, entities);
  }

  // What is going to be done

  _show(plan, start) {
    const { t, moment, span } = this.texts;
    if (!plan) {
      this._planned.replaceChildren();
      return;
    }
    const time = ({ begins, ends }) => (begins ? span(begins, ends) : t("rollouts.never"));
    const rows = plan.waves.flatMap(({ wave, modules }) =>
      modules.map((one) => line(this.texts, { wave, ...one, time: time(one), state: one.blocked_by })),
    );
    const left = plan.left_out.map(({ module, sentence }) =>
      line(this.texts, { wave: null, module, state: sentence }),
    );
    const versions = new Set(plan.waves.flatMap(({ modules }) => modules.map(({ to }) => to)));
    const version = versions.size === 1 ? [...versions][0] : plan.version;
    const planned = t("rollouts.planned", { ...plan, version });
    this.page.announce(planned);
    this._planned.replaceChildren(
      h("h3", {}, planned),
      h("p", {}, plan.ends ? t("rollouts.ends", { time: moment(plan.ends) }) : t("rollouts.never")),
      members(this.texts, tbody(rows, left)),
      button(t("rollouts.start"), start, { class: "main" }),
    );
  }

  // What is done, or was

  forget(id) {
    super.forget(id);
    this._cards.get(id)?.shown.close();
    this._cards.delete(id);
  }

  arrange() {
    const order = [...this.items].sort(([, a], [, b]) => (a.began < b.began ? 1 : -1));
    for (const [list, isOpen] of [[this._open, true], [this._over, false]]) {
      const shown = order.filter(([, { state }]) => OPEN.includes(state) === isOpen);
      place(list, shown.map(([id, rollout]) => this._card(id, rollout).element));
    }
  }

  _card(id, { state }) {
    if (!this._cards.has(id)) {
      const shown = new Members(this.page, id);
      const details = h(
        "details",
        {
          open: OPEN.includes(state),
          ontoggle: () => (details.open ? shown.open() : shown.close()),
        },
        h("summary", {}, this.t("modules.title")),
        shown.element,
      );
      const element = h("article", { class: "card" }, this.rows.get(id), details);
      this._cards.set(id, { shown, details, element });
    }
    return this._cards.get(id);
  }

  row(id, rollout) {
    const { t, texts } = this;
    const release = `${rollout.firmware} ${rollout.version}`;
    const counts = Object.entries(rollout.counts).filter(([, count]) => count);
    const over = rollout.modules - (rollout.counts.waits ?? 0) - (rollout.counts.begun ?? 0);
    const isOpen = OPEN.includes(rollout.state);
    const act = (name) => this.page.act(`esp_ota.${name}_rollout`, null, { rollout: id });
    const tool = (name, isThere, onclick = () => act(name)) => {
      const text = texts.action(`${name}_rollout`);
      return isThere && button(text, onclick, { "aria-label": `${text}: ${release}` });
    };
    const cancel = async () => {
      const title = t("rollouts.cancel_asked", { release });
      if (await this.page.ask(title, [t("rollouts.cancel_means")], texts.action("cancel_rollout"))) act("cancel");
    };
    return h(
      "div",
      {},
      h("h3", {}, `${release}: ${texts.rollout(rollout.state)}`),
      h("p", {}, [
        isOpen && waveText(t, rollout.wave),
        ...counts.map(([state, count]) => `${texts.member(state)}: ${count}`),
      ].filter(Boolean).join(" · ")),
      faint(
        t(isOpen ? "rollouts.began" : "rollouts.ended", { ago: texts.ago(rollout.ended ?? rollout.began) }),
        isOpen && rollout.rest_ends && ` · ${t("rollouts.rests", { time: texts.moment(rollout.rest_ends * 1000) })}`,
      ),
      isOpen && h("progress", { max: rollout.modules, value: over, "aria-label": t("rollouts.progress_of", { release }) }),
      isOpen && h(
        "p",
        { class: "tools" },
        tool(rollout.state === "paused" ? "resume" : "pause", rollout.state !== "planned"),
        tool("cancel", true, cancel),
      ),
    );
  }
}
