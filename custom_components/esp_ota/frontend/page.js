// The page *ESP OTA*: a bar with its tabs, and below it the one that is open.

import { button, h } from "./dom.js";
import "./modules.js";
import { STYLE } from "./style.js";
import { alert, complain, config, hass, setConfig, setHass, status } from "./talk.js";
import { load, t } from "./texts.js";

/** Each is a file; all but the first are loaded when opened. */
const TABS = ["modules", "queue", "rollouts", "library"];

class EspOtaPage extends HTMLElement {
	set hass(given) {
		setHass(given);
		this.style.colorScheme = given.themes?.darkMode ? "dark" : "light";
		if (given.language !== this._language) this._load();
	}

	set panel(panel) {
		setConfig(panel.config);
	}

	set narrow(narrow) {
		this.toggleAttribute("narrow", narrow);
	}

	set route(route) {
		this._path = route.path.replace(/^\//, "");
		this._show();
	}

	connectedCallback() {
		this._show();
	}

	disconnectedCallback() {
		this._open?.close();
		this._open = undefined;
	}

	async _load() {
		this._language = hass.language;
		await load(hass, config.languages);
		this.disconnectedCallback();
		this._tabs = {};
		this._main = h("main", { id: "panel", role: "tabpanel", tabindex: "-1" });
		this._links = TABS.map((name) =>
			button(t(`${name}.title`), () => this.go(name), { role: "tab", id: name, "aria-controls": "panel" }),
		);
		const toggle = () =>
			this.dispatchEvent(new CustomEvent("hass-toggle-menu", { bubbles: true, composed: true }));
		const tabs = { role: "tablist", "aria-label": "ESP OTA", onkeydown: (event) => this._arrow(event) };
		const root = this.shadowRoot ?? this.attachShadow({ mode: "open" });
		root.replaceChildren(
			h("style", STYLE),
			h(
				"header",
				button("≡", toggle, { class: "menu", "aria-label": t("common.menu") }),
				h("h1", "ESP OTA"),
				h("div", tabs, this._links),
			),
			alert,
			status,
			this._main,
		);
		this._show();
	}

	_arrow({ key }) {
		const step = { ArrowLeft: -1, ArrowRight: 1 }[key];
		if (!step) return;
		const at = TABS.indexOf(this._name) + step;
		const next = this._links.at(at % TABS.length);
		next.click();
		next.focus();
	}

	/** Show the tab that the address names, and return it once it is there. */
	async _show() {
		if (!this.isConnected || !this._main) return undefined;
		const name = (this._name = TABS.includes(this._path) ? this._path : TABS[0]);
		for (const link of this._links) {
			link.ariaSelected = String(link.id === name);
			link.tabIndex = link.id === name ? 0 : -1;
		}
		this._main.setAttribute("aria-labelledby", name);
		let tab;
		try {
			const { default: make } = await import(`./${name}.js`);
			if (name !== this._name || !this.isConnected) return undefined;
			tab = this._tabs[name] ??= make((other) => this.go(other));
		} catch (error) {
			complain(error.message);
		}
		if (!tab || tab === this._open) return tab;
		alert.hidden = true;
		this._open?.close();
		this._open = tab;
		this._main.replaceChildren(tab.element);
		tab.open();
		return tab;
	}

	/** Open a tab, and return it. */
	go(name) {
		this._path = name;
		history.replaceState(null, "", `/esp-ota/${name}`);
		window.dispatchEvent(new CustomEvent("location-changed", { detail: { replace: true } }));
		return this._show();
	}
}

if (!customElements.get("esp-ota-page")) customElements.define("esp-ota-page", EspOtaPage);
