// A try of a module's safe state: asked for, watched step by step, and what became of it.

import { become, button, h } from "./dom.js";

export class Try {
  /** `named` returns the module's name. */
  constructor(page, module, named) {
    this._page = page;
    this._module = module;
    this._named = named;
    this._button = button(page.texts.t("safe.try"), () => this._begin());
    this._told = h("div", { "aria-live": "polite" });
    this.element = h("section", { class: "part", hidden: true }, this._button, this._told);
  }

  close() {
    this._stop?.();
  }

  async _begin() {
    const { t } = this._page.texts;
    const title = t("safe.try_asked", { module: this._named() });
    if (!(await this._page.ask(title, [t("safe.try_moves")], t("safe.try")))) return;
    await this._page.texts.loadMore(this._page.hass, "options", "esp_ota");
    this._steps = {};
    this._stop?.();
    const command = { type: "esp_ota/module/try_safe_state", module: this._module };
    this._stop = this._page.subscribe(command, (told) => this._take(told), () => this._ended());
    this._button.disabled = true;
  }

  _ended() {
    this._button.disabled = false;
  }

  _take(told) {
    const { t, of, number } = this._page.texts;
    const names = { module: this._named(), waits_for: told.waits_for };
    const steps = Object.entries(told.seconds).map(([step, seconds]) => {
      const name = of(`component.esp_ota.options.progress.${step}`, names).replace(/ ?(…|\.+)$/, "");
      return h("li", {}, t("safe.took", { step: name, seconds: number(seconds) }));
    });
    const sentence = told.sentence;
    const end = sentence ? t("safe.tried_badly", { sentence }) : t("safe.tried_well");
    const verdict = told.done && (sentence ? "failed" : "verified");
    become(
      this._told,
      h(
        "div",
        { "aria-live": "polite" },
        h("ol", {}, steps),
        h("p", { "data-verdict": verdict }, told.done ? end : t("safe.trying")),
      ),
    );
    if (told.done) this._ended();
  }
}
