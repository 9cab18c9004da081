// The queue of the house: who is updated now, who waits for what, and in which order.

import { button, faint, h, place } from "./dom.js";
import { Tab } from "./tab.js";

export class QueueTab extends Tab {
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
    const stage = this.texts.stage(line.stage);
    const act = (action, data) => () => this.page.act(action, [line.entity], data);
    const move = (step, name, at) =>
      button(this.t(`queue.${name}`), act("esp_ota.move_in_queue", { place: line.place + step }), {
        hidden: !waits,
        disabled: line.place === at,
        "aria-label": this.t(`queue.${name}_one`, names),
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
        "aria-label": this.t("modules.progress_of", names),
      }),
      h(
        "p",
        { class: "tools" },
        move(-1, "up", 1),
        move(1, "down", this._last),
        button(this.t("modules.cancel"), act("esp_ota.cancel"), {
          "aria-label": this.t("modules.cancel_one", names),
        }),
      ),
    );
  }
}
