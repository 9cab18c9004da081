// The queue of the house: who is updated now, who waits for what, and in which order.

import { h, place, setAttribute, setText } from "./dom.js";

export class QueueTab {
  constructor(page) {
    this._page = page;
    this._lines = new Map();
    this._items = new Map();
    this._list = h("ol", { class: "queue" });
    this._none = h("p", { class: "empty" }, this._t("none"));
    this.element = h("section", {}, this._none, this._list);
  }

  open() {
    this._stop = this._page.subscribe({ type: "esp_ota/modules/subscribe" }, (told) => this._take(told));
  }

  close() {
    this._stop?.();
  }

  _t(key, values) {
    return this._page.texts.t(`queue.${key}`, values);
  }

  _take(told) {
    if (told.all) this._lines = new Map(Object.entries(told.all));
    for (const [id, news] of Object.entries(told.changed ?? {}))
      this._lines.set(id, { ...this._lines.get(id), ...news });
    for (const id of told.gone ?? []) this._lines.delete(id);
    const busy = [...this._lines].filter(([, line]) => line.stage);
    busy.sort(([, a], [, b]) => (a.place ?? 0) - (b.place ?? 0) || a.name.localeCompare(b.name));
    const last = Math.max(0, ...busy.map(([, line]) => line.place ?? 0));
    const shown = busy.map(([id, line]) => this._item(id, line, last));
    for (const id of this._items.keys()) if (!busy.some(([other]) => other === id)) this._items.delete(id);
    place(this._list, shown);
    this._none.hidden = shown.length > 0;
  }

  _item(id, line, last) {
    if (!this._items.has(id)) this._items.set(id, this._make(id));
    const item = this._items.get(id);
    const texts = this._page.texts;
    const stage = texts.stage(line.stage);
    setText(item.name, line.place === null ? line.name : `${line.place}. ${line.name}`);
    setText(item.words, line.waits ?? (line.percent === null ? stage : `${stage} ${line.percent} %`));
    item.bar.hidden = line.place !== null;
    setAttribute(item.bar, "value", line.percent);
    for (const [name, button] of Object.entries(item.buttons))
      setAttribute(button, "aria-label", this._t(`${name}_one`, { module: line.name }));
    setAttribute(item.bar, "aria-label", texts.t("modules.progress_of", { module: line.name }));
    item.buttons.up.hidden = item.buttons.down.hidden = line.place === null;
    item.buttons.up.disabled = line.place === 1;
    item.buttons.down.disabled = line.place === last;
    return item.element;
  }

  _make(id) {
    const line = () => this._lines.get(id);
    const move = (step) => () =>
      this._page.act("esp_ota", "move_in_queue", [line().entity], { place: line().place + step });
    const button = (name, onclick) => h("button", { type: "button", onclick }, this._t(name));
    const item = {
      name: h("strong"),
      words: h("span", { class: "faint" }),
      bar: h("progress", { max: 100 }),
      buttons: {
        up: button("up", move(-1)),
        down: button("down", move(1)),
        cancel: button("cancel", () => this._page.act("esp_ota", "cancel", [line().entity])),
      },
    };
    const tools = h("p", { class: "tools" }, Object.values(item.buttons));
    item.element = h("li", { class: "card" }, item.name, item.words, item.bar, tools);
    return item;
  }
}
