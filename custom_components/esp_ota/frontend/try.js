// A try of a module's safe state: asked for, watched step by step, and what became of it.

import { become, button, h } from "./dom.js";
import { ask, subscribe } from "./talk.js";
import { loadMore, localized, number, t } from "./texts.js";

/** `named` returns the module's name. */
export function trial(id, named) {
  const start = button(t("safe.try"), begin);
  const told = h("div", { "aria-live": "polite" });
  let stop;

  async function begin() {
    const title = t("safe.try_asked", { module: named() });
    if (!(await ask(title, [t("safe.try_moves")], t("safe.try")))) return;
    await loadMore("options", "esp_ota");
    stop?.();
    stop = subscribe({ type: "esp_ota/module/try_safe_state", module: id }, take, end);
    start.disabled = true;
  }

  function end() {
    start.disabled = false;
  }

  function take({ seconds, waits_for, done, sentence }) {
    const names = { module: named(), waits_for };
    const steps = Object.entries(seconds).map(([step, took]) => {
      const name = localized(`component.esp_ota.options.progress.${step}`, names).replace(/ ?(…|\.+)$/, "");
      return h("li", t("safe.took", { step: name, seconds: number(took) }));
    });
    const ended = sentence ? t("safe.tried_badly", { sentence }) : t("safe.tried_well");
    const verdict = done && (sentence ? "failed" : "verified");
    const now = h("p", { "data-verdict": verdict }, done ? ended : t("safe.trying"));
    become(told, h("div", { "aria-live": "polite" }, h("ol", steps), now));
    if (done) end();
  }

  return { element: h("section.part", { hidden: true }, start, told), open() {}, close: () => stop?.() };
}
