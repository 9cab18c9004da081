// The page *ESP OTA*: a bar with its tabs, and below it the one that is open.

import { button, h } from "./dom.js";
import ModulesTab from "./modules.js";
import { STYLE } from "./style.js";
import { Texts } from "./texts.js";

const MENU = "M3 6h18v2H3V6m0 5h18v2H3v-2m0 5h18v2H3v-2Z";
/** The tabs by their names; all but the first are loaded when they are opened. */
const TABS = {
  modules: { title: "modules.title", load: async () => ({ default: ModulesTab }) },
  queue: { title: "queue.title", load: () => import("./queue.js") },
  rollouts: { title: "rollouts.title", load: () => import("./rollouts.js") },
  library: { title: "library.title", load: () => import("./library.js") },
};

class EspOtaPage extends HTMLElement {
  constructor() {
    super();
    this.attachShadow({ mode: "open" });
    this.texts = new Texts();
    this._tabs = {};
  }

  set hass(hass) {
    this._hass = hass;
    if (hass.language !== this._language) this._load();
    else this._open?.hassChanged?.();
  }

  get hass() {
    return this._hass;
  }

  set panel(panel) {
    this._config = panel.config;
  }

  set narrow(narrow) {
    this.toggleAttribute("narrow", narrow);
  }

  set route(route) {
    this._path = route.path.replace(/^\//, "");
    if (this._main) this._show();
  }

  connectedCallback() {
    if (this._main) this._show();
  }

  disconnectedCallback() {
    this._open?.close();
    this._open = undefined;
  }

  async _load() {
    this._language = this._hass.language;
    await this.texts.load(this._hass, this._config.languages);
    this._draw();
    this._show();
  }

  _draw() {
    const { t } = this.texts;
    this._open?.close();
    this._open = undefined;
    this._tabs = {};
    this._alert = h("div", { class: "alert", role: "alert", hidden: true });
    this._status = h("div", { class: "unseen", role: "status" });
    this._main = h("main", { id: "panel", role: "tabpanel", tabindex: "-1" });
    this._links = Object.fromEntries(
      Object.keys(TABS).map((name) => [
        name,
        button(t(TABS[name].title), () => this.go(name), {
          role: "tab",
          id: `tab-${name}`,
          "aria-controls": "panel",
        }),
      ]),
    );
    const toggle = () =>
      this.dispatchEvent(new CustomEvent("hass-toggle-menu", { bubbles: true, composed: true }));
    const icon = h("svg", { viewBox: "0 0 24 24", "aria-hidden": "true" }, h("path", { d: MENU }));
    const tabs = { role: "tablist", "aria-label": "ESP OTA", onkeydown: (event) => this._arrow(event) };
    this.shadowRoot.replaceChildren(
      h("style", {}, STYLE),
      h(
        "header",
        {},
        button(icon, toggle, { class: "menu", "aria-label": t("common.menu") }),
        h("h1", {}, "ESP OTA"),
        h("div", tabs, Object.values(this._links)),
      ),
      this._alert,
      this._status,
      this._main,
    );
  }

  _arrow(event) {
    const step = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
    if (!step) return;
    const names = Object.keys(TABS);
    const next = names[(names.indexOf(this._name) + step + names.length) % names.length];
    this.go(next);
    this._links[next].focus();
  }

  /** Show the tab that the address names, and return it once it is there. */
  async _show() {
    if (!this.isConnected) return undefined;
    const name = (this._name = this._path in TABS ? this._path : "modules");
    for (const [other, link] of Object.entries(this._links)) {
      link.ariaSelected = String(other === name);
      link.tabIndex = other === name ? 0 : -1;
    }
    this._main.setAttribute("aria-labelledby", `tab-${name}`);
    const loading = (this._tabs[name] ??= TABS[name].load().then(({ default: Tab }) => new Tab(this)));
    const tab = await loading.catch((error) => {
      delete this._tabs[name];
      this.complain(error.message);
    });
    const isWanted = name === this._name && loading === this._tabs[name] && this.isConnected;
    if (!isWanted || tab === this._open) return tab;
    this._alert.hidden = true;
    this._open?.close();
    this._open = tab;
    this._main.replaceChildren(tab.element);
    tab.open();
    return tab;
  }

  // What the tabs use

  /** Open a tab, and return it. */
  go(name) {
    this._path = name;
    this.navigate(`/esp-ota/${name}`, true);
    return this._show();
  }

  /** Open another page of Home Assistant. */
  navigate(path, replace = false) {
    history[replace ? "replaceState" : "pushState"](null, "", path);
    window.dispatchEvent(new CustomEvent("location-changed", { detail: { replace } }));
  }

  /** Subscribe to one of our commands; returns what ends it. `failed` is called when it is refused. */
  subscribe(command, take, failed = () => undefined) {
    const unsubscribing = this._hass.connection.subscribeMessage(take, command);
    unsubscribing.catch(async (error) => {
      failed();
      const isGone = error.code === "not_found";
      this.complain(isGone ? this.texts.t("common.not_there") : await this.texts.sentence(this._hass, error));
    });
    return () => unsubscribing.then((stop) => stop(), () => undefined);
  }

  /** Return what may be chosen as a chip, `any` for none. */
  chips(any) {
    const chips = this._config.chips.map((chip) => [chip, this.texts.option("chip", chip)]);
    return [["", any], ...chips].map(([value, text]) => h("option", { value }, text));
  }

  /** Whether there is such an action of ours. */
  can(action) {
    return action in (this._hass.services.esp_ota ?? {});
  }

  /** Perform an action as an automation would; returns its answer, none for what is refused and told. */
  async act(name, entities, data = {}, answers = false) {
    this._alert.hidden = true;
    const [domain, action] = name.split(".");
    const target = entities ? { entity_id: entities } : undefined;
    try {
      const told = await this._hass.callService(domain, action, data, target, false, answers);
      return told?.response ?? {};
    } catch (error) {
      this.complain(await this.texts.sentence(this._hass, error));
      return undefined;
    }
  }

  /** Say what went wrong, until the next thing is done or the person closes it. */
  complain(message) {
    const close = button(this.texts.t("common.close"), () => (this._alert.hidden = true));
    this._alert.replaceChildren(h("p", {}, message), close);
    this._alert.hidden = false;
  }

  /** Ask before something that cannot be taken back; returns whether the person wants it. */
  ask(title, lines, yes) {
    return new Promise((resolve) => {
      const answer = (wanted) => () => {
        dialog.close();
        dialog.remove();
        resolve(wanted);
      };
      const dialog = h(
        "dialog",
        { "aria-labelledby": "asked", oncancel: answer(false) },
        h("h2", { id: "asked" }, title),
        lines.map((line) => h("p", {}, line)),
        h(
          "p",
          { class: "tools" },
          button(this.texts.t("common.not_now"), answer(false), { autofocus: true }),
          button(yes, answer(true), { class: "main" }),
        ),
      );
      this.shadowRoot.append(dialog);
      dialog.showModal();
    });
  }

  /** Say to who listens what is to be seen. */
  announce(message) {
    this._status.textContent = message;
  }
}

if (!customElements.get("esp-ota-page")) customElements.define("esp-ota-page", EspOtaPage);
