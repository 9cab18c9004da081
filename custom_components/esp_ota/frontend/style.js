// The page's looks, in the colours of Home Assistant's theme.

export const STYLE = `
:host {
	display: block; min-height: 100%; font-size: 14px; line-height: 1.4;
	background: var(--primary-background-color); color: var(--primary-text-color);
}
* { box-sizing: border-box; }
[hidden] { display: none !important; }
.unseen { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); }
.faint, .empty, dt, h4, figcaption { color: var(--secondary-text-color); }
header, table, th, dialog, .alert, .card { background: var(--card-background-color); color: inherit; }
table, dialog, .alert, .card, .drop { border-radius: 12px; }
header {
	position: sticky; top: 0; z-index: 2; display: flex; align-items: center; gap: 8px; padding: 0 16px;
	min-height: 56px; border-bottom: 1px solid var(--divider-color);
}
h1 { font-size: 20px; font-weight: 400; margin: 0 16px 0 0; }
h2 { font-size: 18px; font-weight: 500; margin: 0 0 8px; }
h3, h4 { font-size: 14px; font-weight: 500; margin: 8px 0; }
.menu { display: none; font-size: 28px; line-height: 1; }
:host([narrow]) .menu { display: block; }
[role="tablist"] { display: flex; align-self: stretch; gap: 4px; }
button, input, select, textarea {
	font: inherit; color: inherit; background: transparent; min-height: 36px; padding: 4px 12px;
	border: 1px solid var(--outline-color, var(--secondary-text-color)); border-radius: 8px;
}
button { cursor: pointer; }
:disabled { opacity: 0.5; cursor: default; }
.main:not(:disabled) {
	background: var(--primary-text-color); color: var(--card-background-color); border-color: transparent;
}
.menu, .module, th button, [role="tab"] { border: 0; text-align: start; }
[role="tab"] { border-bottom: 2px solid transparent; border-radius: 0; min-height: 55px; }
[role="tab"][aria-selected="true"] { border-color: var(--primary-color); font-weight: 500; }
progress { display: block; width: 100%; margin: 4px 0; }
progress, [type="checkbox"] {
	accent-color: color-mix(in srgb, var(--primary-color) 65%, var(--primary-text-color));
}
[type="checkbox"] { min-height: 0; width: 20px; height: 20px; }
:focus-visible { outline: 2px solid; outline-offset: 2px; }
p { margin: 8px 0; }
legend { padding: 0; }
main { padding: 16px; }
.tools, fieldset { display: flex; flex-wrap: wrap; gap: 8px; }
.tools input { flex: 1 1 200px; max-width: 400px; }
.faint { display: block; }
.alert, .drop { display: flex; flex-wrap: wrap; align-items: center; gap: 8px 16px; padding: 8px 16px; }
.alert { margin: 16px; border: 2px solid var(--error-color); }
.alert p { flex: 1; }
.drop { margin-bottom: 16px; border: 2px dashed var(--divider-color); }
.drop.over { border-color: var(--primary-color); }
table { width: 100%; border-collapse: collapse; }
th, td { text-align: start; vertical-align: top; padding: 8px; }
th { position: sticky; top: 56px; z-index: 1; }
th button { padding: 4px 0; font-weight: 500; }
[aria-sort="ascending"] button::after { content: " \\2191" / ""; }
[aria-sort="descending"] button::after { content: " \\2193" / ""; }
tbody tr:not(.detail) { border-top: 1px solid var(--divider-color); }
.choose { width: 36px; }
td.offered button { display: block; margin-top: 4px; }
td.stage, td.name { min-width: 10em; }
td.verdict { max-width: 32em; }
.module { padding: 0; min-height: 24px; font-weight: 500; }
button.module::before { content: "\\25B8" / ""; display: inline-block; width: 1em; }
button.module[aria-expanded="true"]::before { content: "\\25BE" / ""; }
td.name .faint { padding-inline-start: 1em; }
.warning, [data-verdict="failed"], [data-verdict="refused"], [data-verdict="unchanged"],
[data-verdict="verified"] {
	border-inline-start: 3px solid var(--error-color); padding-inline-start: 6px;
}
[data-verdict="verified"] { border-color: var(--success-color); }
.parts, .fields {
	display: grid; grid-template-columns: repeat(auto-fit, minmax(min(240px, 100%), 1fr)); gap: 8px 16px;
}
.part.history, fieldset { grid-column: 1 / -1; }
ul, ol { margin: 0; padding-inline-start: 20px; }
.history ol { max-height: 420px; overflow: auto; }
li { margin: 0 0 8px; }
li, dd { overflow-wrap: anywhere; }
dl { display: grid; grid-template-columns: max-content 1fr; gap: 2px 12px; }
dl, dd { margin: 0; }
a { color: inherit; }
figure { margin: 4px 0; max-width: 480px; }
.plot, .stages span { background: var(--primary-color); }
.plot { height: 72px; }
.stages { display: flex; height: 8px; border-radius: 4px; overflow: hidden; }
.stages :nth-child(even) { background: var(--secondary-text-color); }
dialog { max-width: 480px; border: 0; padding: 24px; box-shadow: 0 0 0 100vmax rgb(0 0 0 / 50%); }
.card { padding: 8px 16px; margin-bottom: 16px; }
label { display: grid; gap: 4px; }
.box { grid-auto-flow: column; align-items: center; }
fieldset { border: 0; padding: 0; margin: 0; max-height: 200px; overflow: auto; }
summary { cursor: pointer; padding: 8px 0; }
.queue { list-style: none; padding: 0; }
@media (max-width: 800px) {
	main { padding: 8px; }
	header { flex-wrap: wrap; gap: 0 8px; padding: 0 8px; }
	h1 { margin: 0; line-height: 56px; }
	[role="tablist"] { width: 100%; overflow-x: auto; }
	[role="tab"] { min-height: 44px; white-space: nowrap; flex: 1 0 auto; }
	table, tbody { display: block; }
	thead { display: none; }
	tbody tr { display: flex; flex-direction: column; padding: 8px; }
	td { padding: 2px 8px; }
	td.name { order: -1; }
	.choosing tbody tr { display: grid; grid-template-columns: 36px 1fr; }
	.choosing td { grid-column: 2; }
	td.choose { grid-column: 1; grid-row: 1 / span 2; }
	.choosing .opened { grid-column: 1 / -1; }
	td:empty { display: none; }
	td[data-label]:not(.name, .release, .remove)::before {
		content: attr(data-label) ": "; color: var(--secondary-text-color);
	}
}
`;
