// A file on its way into the library: read first, corrected where need be, and kept when wanted.

import { h } from "./dom.js";

const PLACE = "/api/esp_ota/firmware";
const CHIPS = [
  "esp8266", "esp32", "esp32s2", "esp32s3", "esp32c2", "esp32c3", "esp32c5", "esp32c6", "esp32c61",
  "esp32h2", "esp32h4", "esp32p4", "rp2040", "rp2350",
];

export class Upload {
  constructor(page, file, onDone) {
    this._page = page;
    this.file = file;
    this._onDone = onDone;
    this._draw();
    this._look();
  }

  /** Take the signature that came as a file beside it. */
  sign(text) {
    this._signature = text;
    this._look();
  }

  _t(key, values) {
    return this._page.texts.t(`upload.${key}`, values);
  }

  _draw() {
    const field = (name, element) => h("label", {}, this._t(name), element);
    const again = { onchange: () => this._look() };
    this._fields = {
      firmware: h("input", again),
      version: h("input", again),
      chip: h(
        "select",
        again,
        h("option", { value: "" }, this._t("any_chip")),
        CHIPS.map((chip) => h("option", { value: chip }, this._page.texts.option("chip", chip))),
      ),
      notes: h("textarea", { rows: 2 }),
    };
    this._chip = field("chip", this._fields.chip);
    this._form = h(
      "div",
      { class: "fields" },
      field("firmware", this._fields.firmware),
      field("version", this._fields.version),
      this._chip,
      field("notes", this._fields.notes),
    );
    this._answer = h("p", { role: "status" });
    this._problem = h("p", { class: "warning", role: "alert" });
    this._keep = h("button", { type: "button", class: "main", onclick: () => this._send() }, this._t("keep"));
    const drop = h("button", { type: "button", onclick: () => this._onDone(this) }, this._t("discard"));
    this.element = h(
      "article",
      { class: "card", "aria-label": this.file.name },
      h("h3", {}, this.file.name),
      this._answer,
      this._problem,
      this._form,
      h("p", { class: "tools" }, this._keep, drop),
    );
  }

  async _post(more) {
    const form = new FormData();
    for (const [name, field] of Object.entries(this._fields))
      if (field.value.trim() && !field.closest("[hidden]")) form.append(name, field.value.trim());
    if (this._signature) form.append("signature", this._signature);
    for (const [name, value] of Object.entries(more)) form.append(name, value);
    form.append("file", this.file, this.file.name);
    const response = await this._page.hass.fetchWithAuth(PLACE, { method: "POST", body: form });
    try {
      return await response.json();
    } catch {
      return { error: "?", message: this._t("no_answer", { status: response.status }) };
    }
  }

  async _look() {
    this._keep.disabled = true;
    this._answer.textContent = this._t("looking");
    const turn = (this._turn = (this._turn ?? 0) + 1);
    let told;
    try {
      told = await this._post({ look: "1" });
    } catch (error) {
      told = { error: "?", message: error.message };
    }
    if (turn === this._turn) this._show(told);
  }

  _show(told) {
    const texts = this._page.texts;
    this._problem.textContent = told.message ?? "";
    this._form.hidden = !told.kind || told.new === false;
    this._chip.hidden = told.kind !== "filesystem";
    this._keep.hidden = this._form.hidden;
    this._keep.disabled = Boolean(told.error);
    const values = {
      firmware: told.firmware ?? "?",
      version: told.version ?? "?",
      chip: told.chip ? texts.option("chip", told.chip) : texts.t("library.any_chip"),
      kind: told.kind ? texts.option("kind", told.kind) : "?",
      size: told.size ? texts.size(told.size) : "?",
    };
    for (const name of ["firmware", "version"])
      if (!this._fields[name].value && told[name]) this._fields[name].value = told[name];
    const key = told.new === false ? "known" : told.firmware ? "is" : told.kind ? "unnamed" : "unusable";
    this._answer.textContent = this._t(key, values);
  }

  async _send() {
    this._keep.disabled = true;
    let told;
    try {
      told = await this._post({ source: "upload" });
    } catch (error) {
      told = { error: "?", message: error.message };
    }
    if (told.error) this._show(told);
    else {
      const offered = told.offered_to.length ? told.offered_to.join(", ") : this._t("nobody");
      this._page.announce(this._t("kept", { ...told, offered }));
      this._onDone(this);
    }
  }
}
