// The library: every release with its chip, where it came from, and who runs it.

import { button, faint, h, place, setText } from "./dom.js";
import { Tab, row, table, tbody } from "./tab.js";
import { Upload } from "./upload.js";

const COLUMNS = ["release", "for", "from", "signature", "runs_on", "remove"];
const BY_HAND = ["action", "build", "folder", "recovered", "upload"];
const SIGNATURE = ".minisig";

export default class LibraryTab extends Tab {
  constructor(page) {
    super(page, { type: "esp_ota/library/subscribe" });
    this._uploads = new Set();
    this._draw();
  }

  _draw() {
    const { t } = this;
    const input = h("input", {
      type: "file",
      multiple: true,
      hidden: true,
      accept: ".bin,.gz,.minisig",
      onchange: () => {
        this._bring(input.files);
        input.value = "";
      },
    });
    const choose = button(t("library.choose_files"), () => input.click());
    const drop = h("div", { class: "drop" }, h("p", {}, t("library.drop")), choose, input);
    const over = (isOver, take) => (event) => {
      event.preventDefault();
      drop.classList.toggle("over", isOver);
      take?.(event);
    };
    this._coming = h("div");
    this._count = h("p", { class: "count", role: "status" });
    this._body = tbody();
    const heads = Object.fromEntries(COLUMNS.map((name) => [name, t(`library.columns.${name}`)]));
    this.element = h(
      "section",
      {
        ondragover: over(true),
        ondragleave: over(false),
        ondrop: over(false, (event) => this._bring(event.dataTransfer.files)),
      },
      drop,
      this._coming,
      h("div", { class: "tools" }, this.search(t("library.filter"))),
      this._count,
      table(t("library.title"), heads, this._body),
    );
  }

  async _bring(files) {
    const [signatures, images] = [[], []];
    for (const file of files) (file.name.endsWith(SIGNATURE) ? signatures : images).push(file);
    for (const file of images) {
      const upload = new Upload(this.page, file, () => {
        this._uploads.delete(upload);
        upload.element.remove();
      });
      this._uploads.add(upload);
      this._coming.append(upload.element);
    }
    for (const file of signatures) {
      const signed = [...this._uploads].find((upload) => `${upload.file.name}${SIGNATURE}` === file.name);
      if (signed) signed.sign(await file.text());
      else this.page.complain(this.t("library.signature_alone", { file: file.name }));
    }
  }

  arrange() {
    const seen = [...this.items].filter(([, release]) =>
      this.fits(release.firmware, release.version, release.chip, release.source),
    );
    seen.sort(([, a], [, b]) => a.firmware.localeCompare(b.firmware) || b.order - a.order);
    place(this._body, seen.map(([sha256]) => this.rows.get(sha256)));
    setText(this._count, this.t("library.count", { shown: seen.length, all: this.items.size }));
  }

  row(_sha256, release) {
    const { t, texts } = this;
    const name = `${release.firmware} ${release.version}`;
    const chip = release.chip ? texts.option("chip", release.chip) : t("library.any_chip");
    const kind = release.kind !== "sketch" && (release.filesystem || texts.option("kind", release.kind));
    const isNamed = BY_HAND.includes(release.source);
    const unchecked = release.signed ? "signed" : "unsigned";
    const signature = release.signature === "unchecked" ? unchecked : release.signature;
    return row((column) => t(`library.columns.${column}`), {
      release: [h("span", { class: "module" }, name), faint(release.notes)],
      for: [[chip, kind].filter(Boolean).join(", "), faint(texts.size(release.size))],
      from: [
        isNamed ? t(`library.sources.${release.source}`) : release.source,
        faint(texts.ago(release.added)),
      ],
      signature: t(`library.signatures.${signature}`),
      runs_on: release.runs_on.join(", "),
      remove: button(t("library.remove"), () => this._remove(release, name), {
        "aria-label": t("library.remove_one", { release: name }),
      }),
    });
  }

  async _remove(release, name) {
    const { t } = this;
    const named = (key, modules) => modules.length > 0 && t(key, { modules: modules.join(", ") });
    const lost = [
      t("library.lost.image"),
      named("library.lost.runs_on", release.runs_on),
      named("library.lost.goes_back", release.goes_back),
      release.waited_for && t("library.lost.waited_for"),
    ].filter(Boolean);
    if (await this.page.ask(t("library.remove_asked", { release: name }), lost, t("library.remove")))
      this.page.act("esp_ota.remove_firmware", null, { sha256: release.sha256 });
  }
}
