// What a program can tell of a page that not everybody can read: a sentence for each fault, none where it is well.
() => {
  const faults = [];
  const every = (query) => [...document.querySelectorAll(query)];
  const seen = (node) => node.checkVisibility() && node.getClientRects().length > 0;
  const called = (node) => node.outerHTML.slice(0, 90);

  if (!document.documentElement.lang) faults.push("the page's language is not said");
  if (!document.title.trim()) faults.push("the page has no title");
  for (const [query, wanted] of [["h1", 1], ["main", 1], ["header", 1]]) {
    if (every(query).length !== wanted) faults.push(`${every(query).length} of ${query}, not ${wanted}`);
  }
  const ids = every("[id]").map((node) => node.id);
  faults.push(...ids.filter((id, index) => ids.indexOf(id) !== index).map((id) => `two have the id ${id}`));
  for (const node of every("[aria-labelledby]")) {
    if (!document.getElementById(node.getAttribute("aria-labelledby"))?.textContent.trim()) faults.push(`no label: ${called(node)}`);
  }
  for (const node of every("input:not([type=hidden]), button, a[href], summary, [role=region], [role=img]")) {
    const labels = [...(node.labels ?? [])].map((label) => label.textContent).join(" ");
    const name = node.getAttribute("aria-label") ?? (labels || node.textContent);
    if (!name.trim() && !node.querySelector("img[alt]:not([alt='']), title")) faults.push(`no name: ${called(node)}`);
  }
  for (const node of every("img")) if (!node.hasAttribute("alt")) faults.push(`no alt: ${called(node)}`);
  for (const node of every("th")) if (!node.scope || !node.textContent.trim()) faults.push(`an empty head: ${called(node)}`);
  let before = 0;
  for (const node of every("h1, h2, h3, h4")) {
    const level = Number(node.tagName[1]);
    if (level > before + 1) faults.push(`a level of headings is left out before: ${called(node)}`);
    before = level;
  }
  for (const node of every("[style]")) faults.push(`a style that the page may not have: ${called(node)}`);

  // Contrast, WCAG 2.2 1.4.3: relative luminance of text and of what lies under it.
  const canvas = new OffscreenCanvas(1, 1).getContext("2d", { willReadFrequently: true });
  const rgba = (color) => {
    canvas.clearRect(0, 0, 1, 1);
    canvas.fillStyle = color;
    canvas.fillRect(0, 0, 1, 1);
    return [...canvas.getImageData(0, 0, 1, 1).data];
  };
  const luminance = ([r, g, b]) => {
    const [x, y, z] = [r, g, b].map((one) => one / 255).map((one) => (one <= 0.04045 ? one / 12.92 : ((one + 0.055) / 1.055) ** 2.4));
    return 0.2126 * x + 0.7152 * y + 0.0722 * z;
  };
  const under = (node) => {
    for (let at = node; at; at = at.parentElement) {
      const color = rgba(getComputedStyle(at).backgroundColor);
      if (color[3] === 255) return color;
    }
    return [255, 255, 255];
  };
  const texts = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (texts.nextNode()) {
    const node = texts.currentNode.parentElement;
    if (!texts.currentNode.textContent.trim() || !seen(node) || node.closest(".unseen, svg, .fresh, script, noscript")) continue;
    const style = getComputedStyle(node);
    const [light, dark] = [luminance(rgba(style.color)), luminance(under(node))].sort((a, b) => b - a);
    const ratio = (light + 0.05) / (dark + 0.05);
    if (ratio < 4.5) faults.push(`contrast ${ratio.toFixed(2)}: ${called(node)}`);
  }

  // Size of what is pressed, WCAG 2.2 2.5.8: 24 px, but for links within a line of text.
  for (const node of every("button, input:not([type=hidden])")) {
    const { width, height } = node.getBoundingClientRect();
    if (seen(node) && (width < 24 || height < 24)) faults.push(`small: ${called(node)}`);
  }
  return faults;
}
