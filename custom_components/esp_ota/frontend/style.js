// The page's looks, in the colours of Home Assistant: they follow its theme, light and dark.

export const STYLE = `
:host {
  display: block;
  min-height: 100%;
  background: var(--primary-background-color);
  color: var(--primary-text-color);
  font-family: var(--ha-font-family-body, Roboto, sans-serif);
  font-size: 14px;
  line-height: 1.4;
}
* { box-sizing: border-box; }
[hidden] { display: none !important; }
.unseen { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); }
header {
  position: sticky; top: 0; z-index: 2;
  display: flex; align-items: center; gap: 8px;
  min-height: 56px; padding: 0 16px;
  background: var(--card-background-color);
  border-bottom: 1px solid var(--divider-color);
}
h1 { font-size: 20px; font-weight: 400; margin: 0 16px 0 0; }
.menu { display: none; padding: 8px; border: 0; }
:host([narrow]) .menu { display: block; }
svg { width: 24px; height: 24px; fill: currentColor; display: block; }
[role="tablist"] { display: flex; align-self: stretch; gap: 4px; }
[role="tab"] {
  border: 0; border-bottom: 2px solid transparent; border-radius: 0; padding: 0 12px;
  min-height: 55px;
}
[role="tab"][aria-selected="true"] { border-bottom-color: var(--primary-color); font-weight: 500; }
button, input, select, textarea {
  font: inherit; color: inherit; background: transparent;
  border: 1px solid var(--outline-color, var(--secondary-text-color)); border-radius: 8px;
  min-height: 36px; padding: 4px 12px;
}
button { cursor: pointer; }
button:disabled { opacity: 0.5; cursor: default; }
select option { background: var(--card-background-color); color: var(--primary-text-color); }
button.main:not(:disabled) {
  background: var(--primary-text-color); color: var(--card-background-color); border-color: transparent;
}
input[type="checkbox"] { min-height: 0; width: 20px; height: 20px; accent-color: var(--primary-color); }
:focus-visible { outline: 2px solid var(--primary-text-color); outline-offset: 2px; }
main { display: block; padding: 16px; outline: none; }
.tools { display: flex; flex-wrap: wrap; gap: 8px; }
.tools input { flex: 1 1 200px; max-width: 400px; }
.count, .empty { color: var(--secondary-text-color); margin: 8px 0; }
.faint { color: var(--secondary-text-color); display: block; }
.alert {
  display: flex; gap: 16px; align-items: center; margin: 16px; padding: 8px 16px;
  background: var(--card-background-color); border: 2px solid var(--error-color); border-radius: 8px;
}
.alert p { flex: 1; margin: 0; }
table {
  width: 100%; border-collapse: collapse;
  background: var(--card-background-color); border-radius: 12px;
}
th, td { text-align: start; vertical-align: top; padding: 8px; }
th { position: sticky; top: 56px; z-index: 1; background: var(--card-background-color); }
th button { border: 0; padding: 4px 0; font-weight: 500; text-align: start; }
th[aria-sort="ascending"] button::after { content: " \\2191" / ""; }
th[aria-sort="descending"] button::after { content: " \\2193" / ""; }
tbody tr { border-top: 1px solid var(--divider-color); }
td.choose, th.choose { width: 36px; }
td.offered button { display: block; margin-top: 4px; }
td.stage { min-width: 9em; }
td.name { min-width: 10em; }
td.verdict { max-width: 32em; }
.module { font-weight: 500; }
progress {
  display: block; width: 100%; min-width: 80px; height: 6px; margin: 4px 0; border: 0; border-radius: 3px;
  appearance: none; background: var(--divider-color); overflow: hidden;
}
progress::-webkit-progress-bar { background: transparent; }
progress::-webkit-progress-value { background: var(--primary-color); }
progress::-moz-progress-bar { background: var(--primary-color); }
progress:not([value])::-moz-progress-bar { background: transparent; }
progress:not([value]) {
  background: linear-gradient(90deg, var(--divider-color) 30%, var(--primary-color) 50%, var(--divider-color) 70%);
  background-size: 200% 100%; animation: wait 2s linear infinite;
}
@keyframes wait { from { background-position: 100% 0; } to { background-position: -100% 0; } }
@media (prefers-reduced-motion: reduce) { progress:not([value]) { animation: none; } }
button.module { border: 0; padding: 0; min-height: 24px; text-align: start; }
button.module::before { content: "\\25B8" / ""; display: inline-block; width: 1em; }
button.module[aria-expanded="true"]::before { content: "\\25BE" / ""; }
td.name .faint { padding-inline-start: 1em; }
[data-verdict="failed"], [data-verdict="refused"], [data-verdict="unchanged"], .warning {
  border-inline-start: 3px solid var(--error-color); padding-inline-start: 6px;
}
[data-verdict="verified"] { border-inline-start: 3px solid var(--success-color); padding-inline-start: 6px; }
tr.detail { border-top: 0; }
.parts { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(280px, 100%), 1fr)); gap: 8px 24px; }
.part.history { grid-column: 1 / -1; }
h2 { font-size: 18px; font-weight: 500; margin: 0 0 8px; }
h3 { font-size: 14px; font-weight: 500; margin: 8px 0; }
h4 { font-size: 14px; font-weight: 400; margin: 8px 0 0; color: var(--secondary-text-color); }
ul, ol { margin: 0; padding-inline-start: 20px; }
ol { max-height: 420px; overflow: auto; }
li { margin: 0 0 8px; overflow-wrap: anywhere; }
dl { display: grid; grid-template-columns: max-content 1fr; gap: 2px 12px; margin: 0; }
dt { color: var(--secondary-text-color); }
dd { margin: 0; overflow-wrap: anywhere; }
.links { display: flex; flex-wrap: wrap; gap: 4px 16px; }
a { color: inherit; }
figure { margin: 4px 0; max-width: 480px; }
figcaption { color: var(--secondary-text-color); }
svg.plot { width: 100%; height: 72px; }
.plot .line { fill: none; stroke: var(--primary-color); stroke-width: 2; }
.plot .under { fill: var(--primary-color); opacity: 0.15; }
svg.stages { width: 100%; height: 8px; border-radius: 4px; }
.bar-0 { fill: var(--primary-color); }
.bar-1 { fill: var(--secondary-text-color); }
.bar-2 { fill: var(--success-color); }
dialog {
  max-width: 480px; border: 0; border-radius: 16px; padding: 24px;
  background: var(--card-background-color); color: var(--primary-text-color);
}
dialog::backdrop { background: rgb(0 0 0 / 50%); }
.drop {
  display: flex; flex-wrap: wrap; align-items: center; gap: 8px 16px; padding: 16px; margin-bottom: 16px;
  border: 2px dashed var(--divider-color); border-radius: 12px;
}
.drop.over { border-color: var(--primary-color); }
.drop p { margin: 0; }
.card { background: var(--card-background-color); border-radius: 12px; padding: 8px 16px; margin-bottom: 16px; }
.fields { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(220px, 100%), 1fr)); gap: 8px 16px; }
label { display: flex; flex-direction: column; gap: 4px; }
fieldset { border: 0; padding: 0; margin: 0; grid-column: 1 / -1; display: flex; flex-wrap: wrap; gap: 4px 16px; }
legend { padding: 0; margin-bottom: 4px; }
label.day { flex-direction: row; align-items: center; }
summary { cursor: pointer; padding: 8px 0; }
.queue { list-style: none; padding: 0; max-height: none; }
.queue .tools { margin: 8px 0 4px; }
@media (max-width: 800px) {
  main { padding: 8px; }
  header { flex-wrap: wrap; gap: 0 8px; padding: 0 8px; }
  h1 { margin: 0; line-height: 56px; white-space: nowrap; }
  [role="tablist"] { width: 100%; overflow-x: auto; }
  [role="tab"] { min-height: 44px; white-space: nowrap; flex: 1 0 auto; }
  table, tbody, tr { display: block; }
  thead { display: none; }
  tbody tr { display: flex; flex-direction: column; padding: 8px; }
  td { padding: 2px 8px; }
  td.name { order: -1; }
  .choosing tbody tr { display: grid; grid-template-columns: 36px 1fr; }
  .choosing td { grid-column: 2; }
  td.choose { grid-column: 1; grid-row: 1 / span 2; }
  tr.detail td { grid-column: 1 / -1; }
  td:empty { display: none; }
  td[data-label]:not(.name, .release, .remove)::before {
    content: attr(data-label) ": "; color: var(--secondary-text-color);
  }
}
`;
