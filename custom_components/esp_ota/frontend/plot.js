// Small drawings: bytes over time of a running update, and the stages of one that has ended.

import { h } from "./dom.js";

const WIDTH = 240;
const HEIGHT = 48;

/** Draw how bytes came along; `points` are [seconds, bytes], `total` all bytes there are. */
export function bytesPlot(texts, points, total) {
  const [seconds, bytes] = points.at(-1);
  const label = texts.t("plot.bytes", {
    sent: texts.size(bytes),
    total: texts.size(total),
    seconds: texts.number(seconds),
    speed: seconds ? texts.size(bytes / seconds) : "?",
  });
  const at = ([second, sent]) =>
    `${((second / (seconds || 1)) * WIDTH).toFixed(1)},${(HEIGHT - (sent / total) * HEIGHT).toFixed(1)}`;
  const line = points.map(at).join(" ");
  const plot = h(
    "svg",
    { viewBox: `0 0 ${WIDTH} ${HEIGHT}`, class: "plot", role: "img", "aria-label": label },
    h("polyline", { points: `0,${HEIGHT} ${line} ${WIDTH},${HEIGHT}`, class: "under" }),
    h("polyline", { points: line, class: "line" }),
  );
  return h("figure", {}, plot, h("figcaption", { "aria-hidden": "true" }, label));
}

/** Draw how long an update was in each stage; what took no time is left out. */
export function stagesPlot(texts, stages) {
  const took = Object.entries(stages).filter(([, seconds]) => seconds >= 0.1);
  if (!took.length) return false;
  const all = took.reduce((sum, [, seconds]) => sum + seconds, 0);
  const label = took
    .map(([stage, seconds]) => `${texts.stage(stage)} ${texts.duration(seconds)}`)
    .join(" · ");
  let left = 0;
  const bars = took.map(([stage, seconds], at) => {
    const width = (seconds / all) * WIDTH;
    left += width;
    return h("rect", { x: left - width, y: 0, width, height: 8, class: `bar bar-${at % 3}` });
  });
  const plot = h(
    "svg",
    { viewBox: `0 0 ${WIDTH} 8`, class: "stages", preserveAspectRatio: "none", "aria-hidden": "true" },
    bars,
  );
  return h("figure", {}, plot, h("figcaption", {}, label));
}
