"use strict";
(() => {
  const find = (selector, from = document) => Array.from(from.querySelectorAll(selector));
  const tools = document.getElementById("tools");
  const search = document.getElementById("search");
  const shown = document.getElementById("shown");
  const nothing = document.getElementById("nothing");
  const findings = find(".finding");
  const chips = find("button[data-verdict]", tools);
  const rows = find("[data-verdict]").filter((row) => row.tagName !== "BUTTON");
  const texts = new Map();
  const textOf = (row) => {
    // Read when first searched: a report may be long, and most are never searched.
    if (!texts.has(row)) texts.set(row, row.textContent.toLowerCase());
    return texts.get(row);
  };

  const apply = () => {
    const words = search.value.toLowerCase().split(/\s+/).filter(Boolean);
    const wanted = chips.filter((chip) => chip.getAttribute("aria-pressed") === "true").map((chip) => chip.dataset.verdict);
    const counts = { requirement: [0, 0], finding: [0, 0], snapshot: [0, 0] };
    for (const row of rows) {
      const fits = (!wanted.length || wanted.includes(row.dataset.verdict)) && words.every((word) => textOf(row).includes(word));
      row.hidden = !fits;
      counts[row.dataset.what][1] += 1;
      if (fits) counts[row.dataset.what][0] += 1;
    }
    for (const group of find("[data-group]")) group.hidden = !find("[data-verdict]", group).some((row) => !row.hidden);
    const filtered = words.length > 0 || wanted.length > 0;
    const part = ([some, all], word) => (all ? `${some} of ${all} ${word}${all === 1 ? "" : "s"}` : "");
    shown.textContent = filtered ? Object.keys(counts).map((word) => part(counts[word], word)).filter(Boolean).join(", ") : "";
    const left = findings.filter((finding) => !finding.hidden);
    // Whoever searched for one wants to see it.
    if (words.length && left.length === 1) left[0].open = true;
    nothing.hidden = !rows.every((row) => row.hidden);
  };

  // The state of the search is in the address, so that it can be sent to somebody: #q=words&verdict=fail,warn
  const writeAddress = () => {
    const parts = [];
    if (search.value.trim()) parts.push(`q=${encodeURIComponent(search.value.trim())}`);
    const wanted = chips.filter((chip) => chip.getAttribute("aria-pressed") === "true").map((chip) => chip.dataset.verdict);
    if (wanted.length) parts.push(`verdict=${wanted.join(",")}`);
    try {
      history.replaceState(null, "", parts.length ? `#${parts.join("&")}` : location.pathname + location.search);
    } catch { /* A browser may forbid it for files; the search works all the same. */ }
  };
  const readAddress = () => {
    const hash = location.hash.slice(1);
    if (/^(q|verdict)=/.test(hash)) {
      const wanted = new URLSearchParams(hash);
      search.value = wanted.get("q") || "";
      const verdicts = (wanted.get("verdict") || "").split(",");
      for (const chip of chips) chip.setAttribute("aria-pressed", String(verdicts.includes(chip.dataset.verdict)));
      apply();
      return;
    }
    const place = hash && document.getElementById(hash);
    if (!place) return;
    const finding = place.closest(".finding");
    if (!finding) return;
    if (finding.hidden) clear();
    finding.open = true;
    finding.scrollIntoView();
  };
  const clear = () => {
    search.value = "";
    for (const chip of chips) chip.setAttribute("aria-pressed", "false");
    apply();
    writeAddress();
  };

  search.addEventListener("input", () => { apply(); writeAddress(); });
  for (const chip of chips) {
    chip.addEventListener("click", () => {
      chip.setAttribute("aria-pressed", String(chip.getAttribute("aria-pressed") !== "true"));
      apply();
      writeAddress();
    });
  }

  const expand = document.getElementById("expand");
  const label = () => { expand.textContent = findings.some((finding) => !finding.open) ? "Expand all" : "Collapse all"; };
  const expandAll = () => {
    const open = findings.some((finding) => !finding.open);
    for (const finding of findings) finding.open = open;
    label();
  };
  expand.hidden = findings.length < 2;
  expand.addEventListener("click", expandAll);
  for (const finding of findings) finding.addEventListener("toggle", label);
  label();

  const step = (by) => {
    const visible = findings.filter((finding) => !finding.hidden);
    if (!visible.length) return;
    const at = visible.indexOf(document.activeElement.closest(".finding"));
    const next = visible[at < 0 ? (by > 0 ? 0 : visible.length - 1) : Math.min(Math.max(at + by, 0), visible.length - 1)];
    next.open = true;
    next.querySelector("summary").focus({ preventScroll: true });
    next.scrollIntoView({ block: "start" });
  };
  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.target === search) {
      if (event.key === "Escape") { clear(); search.blur(); }
      return;
    }
    const act = { "/": () => search.focus(), j: () => step(1), k: () => step(-1), e: expandAll, Escape: clear }[event.key];
    if (!act) return;
    event.preventDefault();
    act();
  });

  for (const block of find(".command")) {
    const button = document.createElement("button");
    button.type = "button";
    button.textContent = "Copy";
    button.addEventListener("click", async () => {
      try {
        await navigator.clipboard.writeText(block.querySelector("code").textContent);
        button.textContent = "Copied";
      } catch {
        getSelection().selectAllChildren(block.querySelector("code"));
        button.textContent = "Selected";
      }
      setTimeout(() => { button.textContent = "Copy"; }, 1500);
    });
    block.append(button);
  }

  // On paper nothing can be opened; payloads stay as they are.
  let closed = [];
  addEventListener("beforeprint", () => {
    closed = findings.filter((finding) => !finding.open);
    for (const finding of closed) finding.open = true;
  });
  addEventListener("afterprint", () => { for (const finding of closed) finding.open = false; });
  addEventListener("hashchange", readAddress);

  tools.hidden = false;
  for (const keys of find(".keys")) keys.hidden = false;
  readAddress();
})();
