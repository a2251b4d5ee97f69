// What a browser adds to pages that work without it: answers without a reload, suggestions of numbers, copying, recent lines.
"use strict";
(() => {
  const RECENT = "tariff.recent", MOST = 8;
  const status = document.getElementById("status");
  let hiding = 0, asking = 0;

  function say(text) {
    status.textContent = text;
    status.classList.add("shown");
    clearTimeout(hiding);
    hiding = setTimeout(() => { status.classList.remove("shown"); }, 2600);
  }

  // ---- recent lines, in this browser alone
  function recent() {
    try {
      const found = JSON.parse(localStorage.getItem(RECENT) || "[]");
      return Array.isArray(found) ? found.filter((one) => one && typeof one.address === "string" && one.address.startsWith("/line/") && typeof one.words === "string") : [];
    } catch { return []; }
  }
  function keep(list) { try { localStorage.setItem(RECENT, JSON.stringify(list.slice(0, MOST))); } catch { /* a browser may forbid it */ } }
  function remember() {
    const title = document.querySelector(".line h2");
    if (!title || location.pathname.split("/").length !== 3) return;
    const address = location.pathname + location.search;
    const words = `${title.textContent.trim()}: ${document.querySelector(".hero .sum").textContent.trim()}`;
    keep([{ address, words }, ...recent().filter((one) => one.address !== address)]);
  }
  function showRecent() {
    const box = document.getElementById("recent");
    if (!box) return;
    const list = recent();
    box.hidden = list.length === 0;
    box.querySelector("ul").replaceChildren(...list.map((one) => {
      const item = document.createElement("li"), link = document.createElement("a");
      link.href = one.address;
      link.textContent = one.words;
      item.append(link);
      return item;
    }));
  }

  // ---- numbers of the schedule
  let typing = 0;
  function recentNumbers() {
    const found = recent().map((one) => one.address.split("?")[0].split("/")[2]);
    return [...new Set(found)].filter((hts) => /^[0-9.]+$/.test(hts)).map((hts) => ({ hts, says: "recent" }));
  }
  function offer(found) {
    document.getElementById("numbers").replaceChildren(...found.map((one) => {
      const option = document.createElement("option");
      option.value = one.hts;
      option.label = one.says;
      return option;
    }));
  }
  function suggest(input) {
    clearTimeout(typing);
    const text = input.value.trim();
    if (text.length < 2) return offer(recentNumbers());
    typing = setTimeout(async () => {
      try {
        const answer = await fetch(`/line/numbers?q=${encodeURIComponent(text)}`, { headers: { Accept: "application/json" } });
        if (!answer.ok) return;
        const found = await answer.json();
        if (input.value.trim() === text) offer(found);  // an answer to what stood there before is late
      } catch { /* suggestions are a convenience */ }
    }, 150);
  }

  // ---- answers without a reload
  async function open(address, push) {
    const main = document.getElementById("main"), mine = ++asking;
    main.setAttribute("aria-busy", "true");
    const slow = setTimeout(() => { say("Reading the law\u2026"); }, 300);
    try {
      const answer = await fetch(address, { headers: { Accept: "text/html" } });
      const page = new DOMParser().parseFromString(await answer.text(), "text/html");
      const fresh = page.getElementById("main");
      if (mine !== asking) return;
      if (!fresh) throw new Error("no page");
      const open = new Set([...main.querySelectorAll("details[open] > summary")].map((one) => one.textContent));
      const focused = document.activeElement && document.activeElement.id;
      main.replaceChildren(...fresh.childNodes);
      main.querySelectorAll("details > summary").forEach((one) => { if (open.has(one.textContent)) one.parentElement.open = true; });
      document.title = page.title;
      if (push) history.pushState({}, "", answer.redirected ? answer.url : address);
      enhance();
      const wrong = main.querySelector("[aria-invalid=true]"), before = focused ? document.getElementById(focused) : null;
      (wrong || before || main).focus({ preventScroll: !wrong });
      const sum = main.querySelector(".hero .sum");
      const hero = main.querySelector(".hero");
      if (hero && push && !wrong && !before?.closest(".qfields")) hero.scrollIntoView({ block: "nearest" });
      say(wrong ? "Please check the fields" : sum ? `Total: ${sum.textContent.trim()}` : document.title);
    } catch { location.assign(address); } finally {
      clearTimeout(slow);
      if (mine === asking) main.removeAttribute("aria-busy");
    }
  }
  // ---- pages that come in stages: what is ready stands at once, the rest follows
  async function follow() {
    const more = document.querySelector("[data-more]");
    if (!more) return;
    const main = document.getElementById("main"), mine = asking, there = location.href;
    try {
      const answer = await fetch(more.dataset.more, { headers: { Accept: "text/html" } });
      const fresh = answer.ok && new DOMParser().parseFromString(await answer.text(), "text/html").getElementById("main");
      if (!fresh || mine !== asking || there !== location.href || !more.isConnected) return;
      const focused = document.activeElement && document.activeElement.id, typed = document.querySelector("input:focus");
      if (typed) fresh.querySelector(`[id="${CSS.escape(typed.id)}"]`)?.setAttribute("value", typed.value);
      main.replaceChildren(...fresh.childNodes);
      if (focused) document.getElementById(focused)?.focus({ preventScroll: true });
      say(main.querySelector("[data-more]") ? "The days are there; withdrawn steps follow" : "The page is complete");
      enhance();
    } catch { /* the link beside it leads there too */ }
  }
  const ahead = new Set();
  function lookAhead(event) {  // the server begins to read while the pointer is on its way
    const link = event.target.closest && event.target.closest("a[data-slow]");
    if (!link || ahead.has(link.href) || link.hasAttribute("aria-current")) return;
    ahead.add(link.href);
    fetch(link.href, { headers: { Accept: "text/html" } }).catch(() => {});
  }

  function addressOf(form, button) {
    const data = new FormData(form, button || undefined), query = new URLSearchParams();
    for (const [name, value] of data) if (String(value).trim()) query.append(name, value);
    return `${(button && button.getAttribute("formaction")) || form.getAttribute("action")}?${query}`;
  }

  // ---- copying
  async function copy(text, words) {
    try { await navigator.clipboard.writeText(text); say(words); } catch { say("This browser does not let a page copy"); }
  }

  function enhance() {
    document.querySelectorAll("[data-copy], [data-copy-link], [data-print]").forEach((one) => { one.hidden = false; });
    const box = document.querySelector(".askbox");  // on a phone the total comes first
    if (box && matchMedia("(max-width: 640px)").matches) box.open = false;
    document.querySelectorAll(".scroll > .chart").forEach((chart) => {  // on a phone a chart begins where the entry is
      const entry = chart.querySelector("line.entry"), box = chart.parentElement;
      if (entry && box.scrollWidth > box.clientWidth) box.scrollLeft = entry.getBoundingClientRect().left - box.getBoundingClientRect().left - box.clientWidth / 2;
    });
    remember();
    showRecent();
    follow();
  }

  document.addEventListener("submit", (event) => {
    if (event.target.id !== "ask") return;
    event.preventDefault();
    open(addressOf(event.target, event.submitter), true);
  });
  document.addEventListener("pointerover", lookAhead);
  document.addEventListener("focusin", lookAhead);
  document.addEventListener("focusin", (event) => { if (event.target.matches("[data-hts]")) suggest(event.target); });
  document.addEventListener("input", (event) => { if (event.target.matches("[data-hts]")) suggest(event.target); });
  document.addEventListener("change", (event) => {
    if (event.target.matches(".qfields input, .qfields select")) open(addressOf(document.getElementById("ask"), null), true);
  });
  document.addEventListener("click", (event) => {
    const found = event.target.closest("[data-copy], [data-copy-link], [data-print], [data-forget], [data-slow]");
    if (!found) return;
    if (found.dataset.copy) copy(document.getElementById(found.dataset.copy).value, "The table is copied");
    else if (found.dataset.copyLink) copy(new URL(found.dataset.copyLink, location.href).href, "The link is copied");
    else if (found.hasAttribute("data-print")) window.print();
    else if (found.hasAttribute("data-forget")) { keep([]); showRecent(); say("Forgotten"); }
    else if (found.hasAttribute("data-slow")) say("Reading the law of every day\u2026");
  });
  window.addEventListener("popstate", () => { open(location.pathname + location.search, false); });
  enhance();
})();
