// The page *ESP OTA*: a bar with its tabs, and below it the one that is open.

import { h, symbol } from "./dom.js";
import { LibraryTab } from "./library.js";
import { ModulesTab } from "./modules.js";
import { QueueTab } from "./queue.js";
import { STYLE } from "./style.js";
import { Texts } from "./texts.js";

const MENU = "M3 6h18v2H3V6m0 5h18v2H3v-2m0 5h18v2H3v-2Z";
const TABS = { modules: ModulesTab, queue: QueueTab, library: LibraryTab };

class EspOtaPage extends HTMLElement {
  constructor() {
    super();
    this.attachShadow({ mode: "open" });
    this._texts = new Texts();
    this._tabs = {};
  }

  set hass(hass) {
    const isFirst = !this._hass;
    this._hass = hass;
    if (isFirst) this._load();
    else if (hass.language !== this._language) this._load();
    else this._open?.hassChanged?.();
  }

  get hass() {
    return this._hass;
  }

  set panel(panel) {
    this._languages = panel.config.languages;
  }

  set narrow(narrow) {
    this.toggleAttribute("narrow", narrow);
  }

  set route(route) {
    this._path = route.path.replace(/^\//, "") || "modules";
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
    await this._texts.load(this._hass, this._languages);
    this._draw();
    this._show();
  }

  _draw() {
    const t = (key, values) => this._texts.t(key, values);
    this._open?.close();
    this._open = undefined;
    this._tabs = {};
    this._alert = h("div", { class: "alert", role: "alert", hidden: true });
    this._status = h("div", { class: "unseen", role: "status" });
    this._main = h("main", { id: "panel", role: "tabpanel", tabindex: "-1" });
    this._links = Object.fromEntries(
      Object.keys(TABS).map((name) => [name, this._link(name, t(`${name}.title`))]),
    );
    const menu = h(
      "button",
      { class: "menu", type: "button", "aria-label": t("common.menu"), onclick: () => this._menu() },
      symbol(MENU),
    );
    this.shadowRoot.replaceChildren(
      h("style", {}, STYLE),
      h(
        "header",
        {},
        menu,
        h("h1", {}, "ESP OTA"),
        h("div", { role: "tablist", "aria-label": "ESP OTA", onkeydown: (e) => this._arrow(e) },
          Object.values(this._links)),
      ),
      this._alert,
      this._status,
      this._main,
    );
  }

  _link(name, text) {
    return h(
      "button",
      {
        role: "tab",
        type: "button",
        id: `tab-${name}`,
        "aria-controls": "panel",
        onclick: () => this._go(name),
      },
      text,
    );
  }

  _menu() {
    this.dispatchEvent(new CustomEvent("hass-toggle-menu", { bubbles: true, composed: true }));
  }

  _arrow(event) {
    const step = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
    if (!step) return;
    const names = Object.keys(TABS);
    const next = names[(names.indexOf(this._path) + step + names.length) % names.length];
    this._go(next);
    this._links[next].focus();
  }

  _go(name) {
    history.replaceState(null, "", `/esp-ota/${name}`);
    window.dispatchEvent(new CustomEvent("location-changed", { detail: { replace: true } }));
    this._path = name;
    this._show();
  }

  _show() {
    if (!this.isConnected) return;
    const name = this._path in TABS ? this._path : "modules";
    for (const [other, link] of Object.entries(this._links)) {
      link.setAttribute("aria-selected", String(other === name));
      link.tabIndex = other === name ? 0 : -1;
    }
    this._main.setAttribute("aria-labelledby", `tab-${name}`);
    const tab = (this._tabs[name] ??= new TABS[name](this));
    if (tab === this._open) return;
    this._alert.hidden = true;
    this._open?.close();
    this._open = tab;
    this._main.replaceChildren(tab.element);
    tab.open();
  }

  // What the tabs use

  get texts() {
    return this._texts;
  }

  /** Subscribe to one of our commands; returns what ends it. */
  subscribe(command, take) {
    const unsubscribing = this._hass.connection.subscribeMessage(take, command);
    unsubscribing.catch((error) =>
      this.complain(error.code === "not_found" ? this._texts.t("common.not_there") : error.message),
    );
    return () => unsubscribing.then((stop) => stop(), () => undefined);
  }

  /** Perform an action as an automation would; what it refuses is told. */
  async act(domain, action, entities, data = {}) {
    this._alert.hidden = true;
    const target = entities ? { entity_id: entities } : undefined;
    try {
      await this._hass.callService(domain, action, data, target, false);
    } catch (error) {
      this.complain(await this._texts.sentence(this._hass, error));
    }
  }

  /** Say what went wrong, until the next thing is done or the person closes it. */
  complain(message) {
    const close = h(
      "button",
      { type: "button", onclick: () => (this._alert.hidden = true) },
      this._texts.t("common.close"),
    );
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
      const no = { type: "button", autofocus: true, onclick: answer(false) };
      const dialog = h(
        "dialog",
        { "aria-labelledby": "asked", oncancel: answer(false) },
        h("h2", { id: "asked" }, title),
        lines.map((line) => h("p", {}, line)),
        h(
          "p",
          { class: "tools" },
          h("button", no, this._texts.t("common.cancel")),
          h("button", { type: "button", class: "main", onclick: answer(true) }, yes),
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

  /** Open another page of Home Assistant. */
  navigate(path) {
    history.pushState(null, "", path);
    window.dispatchEvent(new CustomEvent("location-changed", { detail: { replace: false } }));
  }
}

if (!customElements.get("esp-ota-page")) customElements.define("esp-ota-page", EspOtaPage);
