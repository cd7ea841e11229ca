// What is wrong with the page as it stands, as a list of sentences. Run inside the page.
(wanted) => {
  const faults = [];
  const root = document.documentElement;
  const name = (element) => element.outerHTML.replace(/\s+/g, " ").slice(0, 140);

  const isShown = (element) => {
    const box = element.getBoundingClientRect();
    if (!box.width || !box.height) return false;
    return element.checkVisibility({ visibilityProperty: true, opacityProperty: true });
  };
  const isForEarsOnly = (element) => {
    for (let each = element; each && each !== document.body; each = each.parentElement) {
      const box = each.getBoundingClientRect();
      if (box.width <= 1 && box.height <= 1) return true;
      if (box.right < 0 || box.bottom < 0) return true;
    }
    return false;
  };

  // --- Language, one headline -----------------------------------------------------------------
  if (root.lang.toLowerCase() !== wanted.lang) faults.push(`lang is ${root.lang}, not ${wanted.lang}`);
  const direction = getComputedStyle(document.body).direction;
  if (direction !== wanted.dir) faults.push(`direction is ${direction}, not ${wanted.dir}`);
  const headlines = [...document.querySelectorAll("h1")].filter(isShown);
  if (!document.querySelector("link[rel~=icon]")) faults.push("without an icon");
  if (headlines.length !== 1) faults.push(`${headlines.length} h1 are shown`);

  // --- How it stands is told by a sign and by words, not by a colour alone ----------------------
  const card = document.querySelector("#card");
  if (card && isShown(card)) {
    if (![...card.querySelectorAll("svg")].some(isShown)) faults.push("a card without a sign");
    if (!card.querySelector("#card-title")?.textContent.trim()) faults.push("a card without words");
  }

  // --- Numbers run from left to right (a mark, or what isolates, before the plus sign says so too) ---
  const texted = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (texted.nextNode()) {
    const { data, parentElement: holder } = texted.currentNode;
    if (!/(?<![\u200e\u2066])\+\d[\d\s()-]{6,}/.test(data) || !isShown(holder)) continue;
    if (getComputedStyle(holder).direction === "rtl") faults.push(`a number from right to left: ${name(holder)}`);
  }

  // --- What can be reached has a name and can be hit --------------------------------------------
  const spoken = (element) => {
    const by = (element.getAttribute("aria-labelledby") || "").split(/\s+/).filter(Boolean);
    const told = by.map((id) => document.getElementById(id)?.textContent || "").join(" ");
    const labels = [...(element.labels || [])].map((label) => label.textContent).join(" ");
    const images = [...element.querySelectorAll("img[alt]")].map((image) => image.alt).join(" ");
    const texts = [told, element.getAttribute("aria-label"), labels, element.textContent, images];
    if (element.type === "submit") texts.push(element.value);
    texts.push(element.title);
    return texts.some((text) => (text || "").trim());
  };
  const canBeReached =
    "a[href], button, input:not([type=hidden]), select, textarea, summary, [tabindex='0']";
  for (const element of document.querySelectorAll(canBeReached)) {
    if (!isShown(element) || element.disabled) continue;
    if (!spoken(element)) faults.push(`without a name: ${name(element)}`);
    const inText = getComputedStyle(element).display === "inline";
    if (inText || isForEarsOnly(element)) continue;
    const hit = [...(element.labels || []), element].map((each) => each.getBoundingClientRect());
    const size = Math.max(...hit.map((box) => Math.min(box.width, box.height)));
    if (size < 24) faults.push(`${size.toFixed(1)} px to hit: ${name(element)}`);
  }

  // --- Nothing is wider than the page ---------------------------------------------------------
  const wide = root.scrollWidth - root.clientWidth;
  if (wide > 0) {
    const beyond = [...document.body.querySelectorAll("*")].filter((each) => {
      const box = each.getBoundingClientRect();
      const spills = getComputedStyle(each).overflowX === "visible" && each.scrollWidth > each.clientWidth + 1;
      return isShown(each) && (box.right > root.clientWidth + 1 || box.left < -1 || (box.width > 40 && spills));
    });
    const guilty = beyond.filter((each) => !isForEarsOnly(each)).slice(-1).map(name);
    faults.push(`${wide} px too wide at ${root.clientWidth}: ${guilty}`);
  }

  // --- Texts, for the one who knows the catalogue ------------------------------------------------
  const squeezed = (text) => (text || "").replace(/\s+/g, " ").trim();
  const ownLanguage = (element) => element.closest("[lang]") !== root;
  const texts = new Set();
  for (const element of document.body.querySelectorAll("*")) {
    if (["SCRIPT", "STYLE", "TEMPLATE", "NOSCRIPT"].includes(element.tagName)) continue;
    if (ownLanguage(element) || !element.checkVisibility()) continue;
    for (const attribute of ["aria-label", "title", "placeholder", "alt"]) {
      if (element.hasAttribute(attribute)) texts.add(squeezed(element.getAttribute(attribute)));
    }
    for (const node of element.childNodes) {
      if (node.nodeType === Node.TEXT_NODE && squeezed(node.data)) {
        texts.add(squeezed(node.data));
        texts.add(squeezed(element.textContent));
      }
    }
  }
  texts.add(squeezed(document.title));
  texts.delete("");
  return { faults, texts: [...texts] };
}
