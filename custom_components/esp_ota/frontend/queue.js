// The queue of the house: who is updated now, who waits for what, and in which order.

import { button, faint, h, place } from "./dom.js";
import { Tab } from "./tab.js";

export default class QueueTab extends Tab {
  constructor(page) {
    super(page, { type: "esp_ota/modules/subscribe" });
    this._list = h("ol", { class: "queue" });
    this._none = h("p", { class: "empty" }, this.t("queue.none"));
    this.element = h("section", {}, this._none, this._list);
  }

  changed() {}

  arrange() {
    const busy = [...this.items].filter(([, line]) => line.stage);
    busy.sort(([, a], [, b]) => (a.place ?? 0) - (b.place ?? 0) || a.name.localeCompare(b.name));
    this._last = Math.max(0, ...busy.map(([, line]) => line.place ?? 0));
    place(this._list, busy.map(([id]) => this.draw(id)));
    this._none.hidden = busy.length > 0;
  }

  row(_id, line) {
    const waits = line.place !== null;
    const names = { module: line.name };
    const { t, texts } = this;
    const stage = texts.stage(line.stage);
    const act = (action, data) => () => this.page.act(action, [line.entity], data);
    const move = (step, text, label, end) =>
      button(text, act("esp_ota.move_in_queue", { place: line.place + step }), {
        hidden: !waits,
        disabled: line.place === end,
        "aria-label": label,
      });
    return h(
      "li",
      { class: "card" },
      h("strong", {}, waits ? `${line.place}. ${line.name}` : line.name),
      faint(line.waits ?? (line.percent === null ? stage : `${stage} ${line.percent} %`)),
      h("progress", {
        max: 100,
        value: line.percent,
        hidden: waits,
        "aria-label": t("modules.progress_of", names),
      }),
      h(
        "p",
        { class: "tools" },
        move(-1, t("queue.up"), t("queue.up_one", names), 1),
        move(1, t("queue.down"), t("queue.down_one", names), this._last),
        button(t("modules.cancel"), act("esp_ota.cancel"), {
          "aria-label": t("modules.cancel_one", names),
        }),
      ),
    );
  }
}
