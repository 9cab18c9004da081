// The library: every release with its chip, where it came from, and who runs it.

import { button, faint, h, place, setText } from "./dom.js";
import { feed, row, search, table, tbody } from "./feed.js";
import { act, ask, complain } from "./talk.js";
import { ago, option, size, t } from "./texts.js";
import { upload } from "./upload.js";

const COLUMNS = ["release", "for", "from", "signature", "runs_on", "remove"];
const BY_HAND = ["action", "build", "folder", "recovered", "upload"];
const SIGNATURE = ".minisig";

const head = (name) => t(`library.columns.${name}`);

function line(_sha256, release) {
  const name = `${release.firmware} ${release.version}`;
  const chip = release.chip ? option("chip", release.chip) : t("library.any_chip");
  const kind = release.kind !== "sketch" && (release.filesystem || option("kind", release.kind));
  const isNamed = BY_HAND.includes(release.source);
  const unchecked = release.signed ? "signed" : "unsigned";
  const signature = release.signature === "unchecked" ? unchecked : release.signature;
  const label = t("library.remove_one", { release: name });
  return row(head, {
    release: [h("span.module", name), faint(release.notes)],
    for: [[chip, kind].filter(Boolean).join(", "), faint(size(release.size))],
    from: [isNamed ? t(`library.sources.${release.source}`) : release.source, faint(ago(release.added))],
    signature: t(`library.signatures.${signature}`),
    runs_on: release.runs_on.join(", "),
    remove: button(t("library.remove"), () => remove(release, name), { "aria-label": label }),
  });
}

async function remove(release, name) {
  const named = (key, modules) => modules.length > 0 && t(key, { modules: modules.join(", ") });
  const lost = [
    t("library.lost.image"),
    named("library.lost.runs_on", release.runs_on),
    named("library.lost.goes_back", release.goes_back),
    release.waited_for && t("library.lost.waited_for"),
  ].filter(Boolean);
  if (await ask(t("library.remove_asked", { release: name }), lost, t("library.remove")))
    act("esp_ota.remove_firmware", null, { sha256: release.sha256 });
}

export default function library() {
  const { items, rows, ...told } = feed("library", { row: line, arrange });
  const { input, fits } = search(t("library.filter"), arrange);
  const count = h("p.empty", { role: "status" });
  const body = tbody();

  function arrange() {
    const seen = [...items].filter(([, { firmware, version, chip, source }]) =>
      fits(firmware, version, chip, source),
    );
    seen.sort(([, a], [, b]) => a.firmware.localeCompare(b.firmware) || b.order - a.order);
    place(body, seen.map(([sha256]) => rows.get(sha256)));
    setText(count, t("library.count", { shown: seen.length, all: items.size }));
  }

  // Files that are brought

  /** By the names of their signatures. */
  const uploads = new Map();
  const coming = h("div");
  const files = h("input", { type: "file", multiple: true, hidden: true, accept: `.bin,.gz,${SIGNATURE}` });
  files.onchange = () => {
    bring([...files.files]);
    files.value = "";
  };
  const choose = button(t("library.choose_files"), () => files.click());
  const drop = h("div.drop", h("p", t("library.drop")), choose, files);
  const over = (isOver) => (event) => {
    event.preventDefault();
    drop.classList.toggle("over", isOver);
    if (event.type === "drop") bring([...event.dataTransfer.files]);
  };

  async function bring(brought) {
    const isSignature = ({ name }) => name.endsWith(SIGNATURE);
    for (const file of brought.filter((one) => !isSignature(one))) {
      const one = upload(file);
      uploads.set(file.name + SIGNATURE, one);
      coming.append(one.element);
    }
    for (const file of brought.filter(isSignature)) {
      const signed = uploads.get(file.name);
      if (signed?.element.isConnected) signed.sign(await file.text());
      else complain(t("library.signature_alone", { file: file.name }));
    }
  }

  const element = h(
    "section",
    { ondragover: over(true), ondragleave: over(false), ondrop: over(false) },
    drop,
    coming,
    h("div.tools", input),
    count,
    table(t("library.title"), COLUMNS, head, body),
  );
  return { element, ...told };
}
