// Keeps the page true while somebody looks at it: the server sends parts of it as HTML, and they take their places here.
// A row that has not changed stays the very same node; focus, opened details and scrolling stay where they were.
const script = document.currentScript;
const live = document.getElementById("live");
const news = document.getElementById("news");
const focusable = "a, button, summary, input, [tabindex]";

const keyed = (root) => new Map([...root.querySelectorAll("[data-key]")].map((row) => [row.dataset.key, row]));

function gist(row) {
  const copy = row.cloneNode(true);
  copy.querySelectorAll("time").forEach((time) => time.remove());
  return copy.textContent;
}

function focused() {
  const node = document.activeElement;
  const place = node?.closest("[data-key], main [id]");
  if (!place) return () => {};
  const { id, dataset: { key } } = place;
  const index = [...place.querySelectorAll(focusable)].indexOf(node);
  return () => {
    if (node.isConnected && node === document.activeElement) return;
    const now = key ? keyed(document).get(key) : document.getElementById(id);
    now?.querySelectorAll(focusable)[index]?.focus({ preventScroll: true });
  };
}

function swap(part, html) {
  const fresh = document.createElement("template");
  fresh.innerHTML = html;
  const before = keyed(part);
  for (const [key, row] of keyed(fresh.content)) {
    const was = before.get(key);
    const source = row.outerHTML;
    if (was && (was.source ?? was.outerHTML) === source) {
      row.replaceWith(was);
      continue;
    }
    row.source = source;
    if (was?.querySelector("details[open]")) row.querySelector("details")?.setAttribute("open", "");
    if (!was || gist(was) !== gist(row)) row.classList.add("fresh");
  }
  const scrolled = part.querySelector(".scroller")?.scrollLeft;
  part.replaceChildren(fresh.content);
  if (scrolled) part.querySelector(".scroller").scrollLeft = scrolled;
}

const numbers = () => document.querySelector("#counts ul")?.textContent.replace(/\s+/g, " ").trim() ?? "";

function update(event) {
  const [refocus, before] = [focused(), numbers()];
  for (const [id, html] of Object.entries(JSON.parse(event.data))) swap(document.getElementById(id), html);
  refocus();
  if (numbers() !== before) news.textContent = numbers();
}

const say = (state, words) => Object.assign(live, { hidden: false, textContent: words, className: `live ${state}` });

const source = new EventSource(script.dataset.live);
source.addEventListener("update", update);
source.onopen = () => say("on", "Live");
source.onerror = () => {
  say("off", "Not live: trying again");
  if (source.readyState === EventSource.CLOSED) setTimeout(() => location.reload(), 15000);
};
