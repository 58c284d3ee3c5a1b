// A figure shows the segments that it rests on; a field that is begun at is ready to be typed over; after something was
// done, the next case is at hand.
document.addEventListener("click", (event) => {
  const figure = event.target.closest("[data-evidence]");
  if (!figure) return;
  event.preventDefault();
  document.querySelectorAll(".meant").forEach((line) => line.classList.remove("meant"));
  const lines = figure.dataset.evidence.split(" ").map((position) => document.getElementById(`segment-${position}`));
  lines.forEach((line) => line?.classList.add("meant"));
  lines[0]?.scrollIntoView({ block: "center" });
});

document.addEventListener("keydown", (event) => {
  if (event.key === "Escape" && event.target.matches("input")) event.target.blur();
});

const begun = document.querySelector("[autofocus], #changed button") ?? document.querySelector(".next-case.done .onward");
begun?.focus();
begun?.select?.();
