// Elements, made and kept up to date without a framework.

const LISTENERS = ["onclick", "onchange", "oninput"];

/**
 * Make an element: `h("p.tools", { hidden: true }, "text")`; it may have no class, and no attributes.
 * `on…` are properties, all else attributes; what is false is not there.
 */
export function h(kind, ...children) {
	const [tag, ...classes] = kind.split(".");
	const element = document.createElement(tag);
	if (classes.length) element.className = classes.join(" ");
	const attributes = children[0]?.constructor === Object ? children.shift() : {};
	for (const [name, value] of Object.entries(attributes)) {
		if (name.startsWith("on")) element[name] = value;
		else if (value || value === 0 || value === "") element.setAttribute(name, value === true ? "" : value);
	}
	// What is not there keeps its place, so that nobody else becomes like it (see `become`).
	element.append(...children.flat(Infinity).map((child) => (child === false ? "" : (child ?? ""))));
	return element;
}

export const button = (text, onclick, attributes) =>
	h("button", { type: "button", onclick, ...attributes }, text);

/** Return a list to choose from; `pairs` are values and texts. */
export const choice = (pairs, attributes = {}) => h("select", attributes, options(pairs));

export const options = (pairs) => pairs.map(([value, text]) => h("option", { value }, text));

export const faint = (...text) => text.some(Boolean) && h("span.faint", text);

/** Show a text, unless it is shown: what is told is told once. */
export function setText(element, text) {
	if (element.textContent !== text) element.textContent = text;
}

/** Let an element be like another one; what is the same keeps focus and choice. */
export function become(old, fresh) {
	for (const { name } of [...old.attributes]) if (!fresh.hasAttribute(name)) old.removeAttribute(name);
	for (const { name, value } of fresh.attributes)
		if (old.getAttribute(name) !== value) old.setAttribute(name, value);
	for (const name of LISTENERS) old[name] = fresh[name];
	const wanted = [...fresh.childNodes];
	for (const [at, was] of [...old.childNodes].entries()) {
		const child = wanted[at];
		if (!child) was.remove();
		else if (was.nodeName !== child.nodeName) was.replaceWith(child);
		else if (was.nodeType === Node.TEXT_NODE) {
			if (was.data !== child.data) was.data = child.data;
		} else become(was, child);
	}
	old.append(...wanted.slice(old.childNodes.length));
}

/** Let an element have these children; what is in its place stays untouched. */
export function place(parent, children) {
	for (const [at, child] of children.entries())
		if (parent.children[at] !== child) parent.insertBefore(child, parent.children[at] ?? null);
	while (parent.children.length > children.length) parent.lastChild.remove();
}
