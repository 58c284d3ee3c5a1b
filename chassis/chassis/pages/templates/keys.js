// Single keys, wherever nothing is being typed. Whatever names a key in aria-keyshortcuts is done by it; j and k go from
// row to row. Who does not want them switches them off, and this browser remembers it (WCAG 2.2, 2.1.4).
const OFF = "keys-off";
const row = (node) => node?.closest("[data-row]");
const switched = () => document.getElementById("keys-on");

function go(step) {
  const rows = [...document.querySelectorAll("[data-row]")].filter((one) => one.checkVisibility());
  const at = rows.indexOf(row(document.activeElement));
  const next = rows[at < 0 ? (step > 0 ? 0 : rows.length - 1) : at + step];
  next?.querySelector("a")?.focus();
  next?.scrollIntoView({ block: "nearest" });
}

function press(key) {
  const named = [...document.querySelectorAll(`[aria-keyshortcuts~="${CSS.escape(key)}"]`)];
  const node = named.find((one) => one.checkVisibility());
  if (!node) return false;
  if (node.matches("input")) node.select();
  else node.click();
  return true;
}

function explain() {
  const dialog = document.getElementById("keys");
  dialog?.showModal();
  return Boolean(dialog);
}

document.addEventListener("keydown", (event) => {
  const typing = event.target.closest("input:not([type=radio], [type=checkbox]), textarea, select, [contenteditable], dialog[open]");
  if (typing || event.ctrlKey || event.metaKey || event.altKey || event.repeat && !"jk".includes(event.key)) return;
  if (localStorage.getItem(OFF)) return;
  const done = event.key === "?" ? explain() : "jk".includes(event.key) ? (go(event.key === "j" ? 1 : -1), true) : press(event.key);
  if (done) event.preventDefault();
});

const on = switched();
if (on) {
  on.checked = !localStorage.getItem(OFF);
  on.addEventListener("change", () => (on.checked ? localStorage.removeItem(OFF) : localStorage.setItem(OFF, "yes")));
  document.getElementById("keys-open")?.addEventListener("click", explain);
}
