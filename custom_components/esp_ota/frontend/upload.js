// A file on its way into the library: read first, corrected where need be, and kept when wanted.

import { button, choice, h } from "./dom.js";
import { announce, chips, hass } from "./talk.js";
import { field, option, size, t } from "./texts.js";

const PLACE = "/api/esp_ota/firmware";

export function upload(file) {
  let signature;
  let turn = 0;
  const again = { onchange: look };
  const fields = {
    firmware: h("input", again),
    version: h("input", again),
    chip: choice(chips(t("library.any_chip")), again),
    notes: h("textarea", { rows: 2 }),
  };
  const form = h("form.fields", Object.entries(fields).map(([name, input]) => {
    input.name = name;
    return h("label", field("add_firmware", name).title, input);
  }));
  const answer = h("p", { role: "status" });
  const problem = h("p.warning", { role: "alert" });
  const keep = button(t("upload.keep"), send, { class: "main" });
  const element = h(
    "article.card",
    { "aria-label": file.name },
    h("h3", file.name),
    answer,
    problem,
    form,
    h("p.tools", keep, button(t("upload.discard"), () => element.remove())),
  );
  look();

  /** Send the file with what is known of it; returns what was answered. */
  async function post(more) {
    const body = new FormData();
    const known = { ...Object.fromEntries(new FormData(form)), signature, ...more };
    for (const [name, value] of Object.entries(known)) if (value?.trim()) body.append(name, value.trim());
    body.append("file", file, file.name);
    try {
      const response = await hass.fetchWithAuth(PLACE, { method: "POST", body });
      const silence = () => ({ error: "?", message: t("upload.no_answer", { status: response.status }) });
      return await response.json().catch(silence);
    } catch (error) {
      return { error: "?", message: error.message };
    }
  }

  async function look() {
    keep.disabled = true;
    answer.textContent = t("upload.looking");
    const mine = ++turn;
    const told = await post({ look: "1" });
    if (mine === turn) show(told);
  }

  function show(told) {
    const { kind, error, new: isNew, firmware, version, message } = told;
    problem.textContent = message ?? "";
    form.hidden = keep.hidden = !kind || isNew === false;
    keep.disabled = Boolean(error);
    fields.chip.parentElement.hidden = kind !== "filesystem";
    fields.firmware.value ||= firmware ?? "";
    fields.version.value ||= version ?? "";
    const values = {
      ...told,
      chip: told.chip ? option("chip", told.chip) : t("library.any_chip"),
      kind: kind && option("kind", kind),
      size: told.size && size(told.size),
    };
    if (isNew === false) answer.textContent = t("upload.known", values);
    else if (firmware) answer.textContent = t("upload.is", values);
    else answer.textContent = kind ? t("upload.unnamed", values) : t("upload.unusable");
  }

  async function send() {
    keep.disabled = true;
    const told = await post({ source: "upload" });
    if (told.error) {
      show(told);
      return;
    }
    const offered = told.offered_to.join(", ") || t("upload.nobody");
    announce(t("upload.kept", { ...told, offered }));
    element.remove();
  }

  /** Take the signature that came as a file beside it. */
  function sign(text) {
    signature = text;
    look();
  }

  return { element, sign };
}
