// A file on its way into the library: read first, corrected where need be, and kept when wanted.

import { button, h } from "./dom.js";

const PLACE = "/api/esp_ota/firmware";

export class Upload {
  constructor(page, file, onDone) {
    this._page = page;
    this.file = file;
    this._onDone = onDone;
    this._turn = 0;
    this._draw();
    this._look();
  }

  /** Take the signature that came as a file beside it. */
  sign(text) {
    this._signature = text;
    this._look();
  }

  _draw() {
    const { t, field } = this._page.texts;
    const again = { onchange: () => this._look() };
    this._fields = {
      firmware: h("input", again),
      version: h("input", again),
      chip: h("select", again, this._page.chips(t("library.any_chip"))),
      notes: h("textarea", { rows: 2 }),
    };
    const labels = Object.entries(this._fields).map(([name, input]) =>
      h("label", {}, field("add_firmware", name).title, input),
    );
    this._form = h("div", { class: "fields" }, labels);
    this._answer = h("p", { role: "status" });
    this._problem = h("p", { class: "warning", role: "alert" });
    this._keep = button(t("upload.keep"), () => this._send(), { class: "main" });
    this.element = h(
      "article",
      { class: "card", "aria-label": this.file.name },
      h("h3", {}, this.file.name),
      this._answer,
      this._problem,
      this._form,
      h("p", { class: "tools" }, this._keep, button(t("upload.discard"), this._onDone)),
    );
  }

  /** Send the file with what is known of it; returns what was answered. */
  async _post(more) {
    const form = new FormData();
    for (const [name, field] of Object.entries(this._fields))
      if (field.value.trim() && !field.closest("[hidden]")) form.append(name, field.value.trim());
    if (this._signature) form.append("signature", this._signature);
    for (const [name, value] of Object.entries(more)) form.append(name, value);
    form.append("file", this.file, this.file.name);
    try {
      const response = await this._page.hass.fetchWithAuth(PLACE, { method: "POST", body: form });
      const { status } = response;
      return await response
        .json()
        .catch(() => ({ error: "?", message: this._page.texts.t("upload.no_answer", { status }) }));
    } catch (error) {
      return { error: "?", message: error.message };
    }
  }

  async _look() {
    this._keep.disabled = true;
    this._answer.textContent = this._page.texts.t("upload.looking");
    const turn = ++this._turn;
    const told = await this._post({ look: "1" });
    if (turn === this._turn) this._show(told);
  }

  _show(told) {
    const { t, option, size } = this._page.texts;
    this._problem.textContent = told.message ?? "";
    this._form.hidden = !told.kind || told.new === false;
    this._fields.chip.parentElement.hidden = told.kind !== "filesystem";
    this._keep.hidden = this._form.hidden;
    this._keep.disabled = Boolean(told.error);
    for (const name of ["firmware", "version"]) this._fields[name].value ||= told[name] ?? "";
    const values = {
      firmware: told.firmware ?? "?",
      version: told.version ?? "?",
      chip: told.chip ? option("chip", told.chip) : t("library.any_chip"),
      kind: told.kind ? option("kind", told.kind) : "?",
      size: told.size ? size(told.size) : "?",
    };
    if (told.new === false) this._answer.textContent = t("upload.known", values);
    else if (told.firmware) this._answer.textContent = t("upload.is", values);
    else this._answer.textContent = told.kind ? t("upload.unnamed", values) : t("upload.unusable");
  }

  async _send() {
    const { t } = this._page.texts;
    this._keep.disabled = true;
    const told = await this._post({ source: "upload" });
    if (told.error) {
      this._show(told);
      return;
    }
    const offered = told.offered_to.length ? told.offered_to.join(", ") : t("upload.nobody");
    this._page.announce(t("upload.kept", { ...told, offered }));
    this._onDone();
  }
}
