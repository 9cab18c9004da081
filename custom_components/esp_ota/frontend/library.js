// The library: every release, and where it comes from.

import { h, setText } from "./dom.js";

export class LibraryTab {
  constructor(page) {
    this._page = page;
    this._releases = new Map();
    this._list = h("div", {});
    this.element = h("section", {}, this._list);
  }

  open() {
    this._stop = this._page.subscribe({ type: "esp_ota/library/subscribe" }, (told) =>
      this._take(told),
    );
  }

  close() {
    this._stop?.();
  }

  _take(told) {
    if (told.all) this._releases = new Map(Object.entries(told.all));
    for (const [id, news] of Object.entries(told.changed ?? {}))
      this._releases.set(id, { ...this._releases.get(id), ...news });
    for (const id of told.gone ?? []) this._releases.delete(id);
    this._list.replaceChildren(
      ...[...this._releases.values()].map((release) =>
        h("p", {}, `${release.firmware} ${release.version}`),
      ),
    );
  }
}
