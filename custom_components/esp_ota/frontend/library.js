// The library: every release with its chip, where it came from, and who runs it.

import { h, place, setText } from "./dom.js";
import { Upload } from "./upload.js";

const COLUMNS = ["release", "for", "from", "signature", "runs_on", "remove"];
const BY_HAND = ["action", "build", "folder", "recovered", "upload"];
const SIGNATURE = ".minisig";

export class LibraryTab {
  constructor(page) {
    this._page = page;
    this._releases = new Map();
    this._rows = new Map();
    this._uploads = new Set();
    this._signatures = new Map();
    this._draw();
  }

  open() {
    this._stop = this._page.subscribe({ type: "esp_ota/library/subscribe" }, (told) => this._take(told));
  }

  close() {
    this._stop?.();
  }

  _t(key, values) {
    return this._page.texts.t(`library.${key}`, values);
  }

  _draw() {
    this._filter = h("input", {
      type: "search",
      "aria-label": this._t("filter"),
      placeholder: this._t("filter"),
      oninput: () => this._arrange(),
    });
    const input = h("input", {
      type: "file",
      multiple: true,
      hidden: true,
      accept: ".bin,.gz,.minisig",
      onchange: () => {
        this._bring(input.files);
        input.value = "";
      },
    });
    const choose = h("button", { type: "button", onclick: () => input.click() }, this._t("choose_files"));
    this._drop = h("div", { class: "drop" }, h("p", {}, this._t("drop")), choose, input);
    this._coming = h("div", { class: "coming" });
    this._count = h("p", { class: "count", role: "status" });
    this._body = h("tbody", { role: "rowgroup" });
    const heads = COLUMNS.map((name) =>
      h("th", { role: "columnheader", class: name }, this._t(`columns.${name}`)),
    );
    this.element = h(
      "section",
      {
        ondragover: (event) => {
          event.preventDefault();
          this._drop.classList.add("over");
        },
        ondragleave: () => this._drop.classList.remove("over"),
        ondrop: (event) => {
          event.preventDefault();
          this._drop.classList.remove("over");
          this._bring(event.dataTransfer.files);
        },
      },
      this._drop,
      this._coming,
      h("div", { class: "tools" }, this._filter),
      this._count,
      h(
        "table",
        { role: "table", class: "library", "aria-label": this._t("title") },
        h("thead", { role: "rowgroup" }, h("tr", { role: "row" }, heads)),
        this._body,
      ),
    );
  }

  // Files that are brought

  async _bring(files) {
    const [signatures, images] = [[], []];
    for (const file of files) (file.name.endsWith(SIGNATURE) ? signatures : images).push(file);
    for (const file of images) {
      const upload = new Upload(this._page, file, (done) => this._done(done));
      this._uploads.add(upload);
      this._coming.append(upload.element);
    }
    for (const file of signatures) {
      const text = await file.text();
      const signed = [...this._uploads].find(
        (upload) => `${upload.file.name}${SIGNATURE}` === file.name,
      );
      if (signed) signed.sign(text);
      else this._page.complain(this._t("signature_alone", { file: file.name }));
    }
  }

  _done(upload) {
    this._uploads.delete(upload);
    upload.element.remove();
  }

  // What is told

  _take(told) {
    if (told.all) {
      this._releases = new Map(Object.entries(told.all));
      this._rows.clear();
    }
    for (const [id, news] of Object.entries(told.changed ?? {})) {
      this._releases.set(id, { ...this._releases.get(id), ...news });
      if (Object.keys(news).some((name) => name !== "order")) this._rows.delete(id);
    }
    for (const id of told.gone ?? []) {
      this._releases.delete(id);
      this._rows.delete(id);
    }
    this._arrange();
  }

  _arrange() {
    const words = this._filter.value.toLowerCase().split(/\s+/).filter(Boolean);
    const seen = [...this._releases.values()].filter((release) => {
      const text = [release.firmware, release.version, release.chip, release.source].join(" ");
      return words.every((word) => text.toLowerCase().includes(word));
    });
    seen.sort((a, b) => a.firmware.localeCompare(b.firmware) || b.order - a.order);
    for (const release of seen)
      if (!this._rows.has(release.sha256)) this._rows.set(release.sha256, this._row(release));
    place(this._body, seen.map((release) => this._rows.get(release.sha256)));
    setText(this._count, this._t("count", { shown: seen.length, all: this._releases.size }));
  }

  _row(release) {
    const texts = this._page.texts;
    const name = `${release.firmware} ${release.version}`;
    const chip = release.chip ? texts.option("chip", release.chip) : this._t("any_chip");
    const kind = release.kind === "sketch" ? "" : release.filesystem || texts.option("kind", release.kind);
    const source = BY_HAND.includes(release.source) ? this._t(`sources.${release.source}`) : release.source;
    const unchecked = release.signed ? "signed" : "unsigned";
    const signature = release.signature === "unchecked" ? unchecked : release.signature;
    const cell = (column, ...children) =>
      h("td", { role: "cell", class: column, "data-label": this._t(`columns.${column}`) }, ...children);
    const faint = (text) => text && h("span", { class: "faint" }, text);
    const remove = { type: "button", "aria-label": this._t("remove_one", { release: name }) };
    return h(
      "tr",
      { role: "row" },
      cell("release", h("span", { class: "module" }, name), faint(release.notes)),
      cell("for", [chip, kind].filter(Boolean).join(", "), faint(texts.size(release.size))),
      cell("from", source, faint(texts.ago(Date.parse(release.added) / 1000))),
      cell("signature", this._t(`signatures.${signature}`)),
      cell("runs_on", release.runs_on.join(", ")),
      cell("remove", h("button", { ...remove, onclick: () => this._remove(release, name) }, this._t("remove"))),
    );
  }

  async _remove(release, name) {
    const lost = [this._t("lost.image")];
    if (release.runs_on.length)
      lost.push(this._t("lost.runs_on", { modules: release.runs_on.join(", ") }));
    if (release.goes_back.length)
      lost.push(this._t("lost.goes_back", { modules: release.goes_back.join(", ") }));
    if (release.waited_for) lost.push(this._t("lost.waited_for"));
    const title = this._t("remove_asked", { release: name });
    if (await this._page.ask(title, lost, this._t("remove")))
      this._page.act("esp_ota", "remove_firmware", null, { sha256: release.sha256 });
  }
}
