// Small drawings: bytes over time of a running update, and the stages of one that has ended.

import { h } from "./dom.js";
import { duration, number, size, stateOf, t } from "./texts.js";

const WIDTH = 240;
const HEIGHT = 48;

/** Draw how bytes came along; `points` are [seconds, bytes], `total` all bytes there are. */
export function bytesPlot(points, total) {
  const [seconds, bytes] = points.at(-1);
  const label = t("plot.bytes", {
    sent: size(bytes),
    total: size(total),
    seconds: number(seconds),
    speed: seconds ? size(bytes / seconds) : undefined,
  });
  const at = ([second, sent]) =>
    `${((second / (seconds || 1)) * WIDTH).toFixed(1)},${(HEIGHT - (sent / total) * HEIGHT).toFixed(1)}`;
  const line = points.map(at).join(" ");
  const plot = h(
    "svg.plot",
    { viewBox: `0 0 ${WIDTH} ${HEIGHT}`, role: "img", "aria-label": label },
    h("polygon", { points: `0,${HEIGHT} ${line} ${WIDTH},${HEIGHT}` }),
  );
  return h("figure", plot, h("figcaption", { "aria-hidden": "true" }, label));
}

/** Draw how long an update was in each stage; what took no time is left out. */
export function stagesPlot(stages) {
  const took = Object.entries(stages).filter(([, seconds]) => seconds >= 0.1);
  if (!took.length) return false;
  const bars = took.map(([, seconds], at) => h(`span.bar-${at % 3}`, { style: `flex: ${seconds}` }));
  const label = took.map(([name, seconds]) => `${stateOf("stage", name)} ${duration(seconds)}`).join(" · ");
  return h("figure", h("div.stages", { "aria-hidden": "true" }, bars), h("figcaption", label));
}
