// Conveniences: every page works without this file. It keeps relative times true,
// says when live pages lost their server, and helps with forms.
"use strict";

(() => {
  // coarse is the same as in format.go.
  const coarse = (seconds) => {
    if (seconds < 60) return Math.floor(seconds / 10) * 10 + " s";
    if (seconds < 3600) return Math.floor(seconds / 60) + " min";
    if (seconds < 48 * 3600) return Math.floor(seconds / 3600) + " h";
    return Math.floor(seconds / 86400) + " days";
  };

  const relative = (seconds) => {
    if (seconds < -60) return "in " + coarse(-seconds);
    if (seconds < 10) return "just now";
    return coarse(seconds) + " ago";
  };

  const month = 30 * 86400;
  setInterval(() => {
    for (const time of document.querySelectorAll("time[title]")) {
      const seconds = (Date.now() - Date.parse(time.dateTime)) / 1000;
      const text = relative(seconds);
      if (seconds < month && time.textContent !== text) time.textContent = text;
    }
  }, 10000);

  // Live pages.
  const offline = (is) => {
    const note = document.getElementById("offline");
    if (note) note.hidden = !is;
  };
  let leaving = false;
  addEventListener("pagehide", () => { leaving = true; });
  addEventListener("pageshow", () => { leaving = false; });
  document.addEventListener("htmx:sse:error", (event) => {
    if (event.detail.status === 401 || event.detail.status === 303) location.reload();
    offline(!leaving);
  });
  document.addEventListener("htmx:sse:after:connection", () => offline(false));
  document.addEventListener("htmx:sse:after:message", () => {
    for (const log of document.querySelectorAll("[data-follow]")) {
      if (log.scrollHeight - log.scrollTop - log.clientHeight < 200) log.scrollTop = log.scrollHeight;
    }
  });

  const follow = () => {
    for (const log of document.querySelectorAll("[data-follow]")) log.scrollTop = log.scrollHeight;
  };

  // The first link ends in #code=..., which browsers send to nobody.
  const takeCode = () => {
    const field = document.querySelector("input[data-from-address]");
    if (!field || location.hash.length < 2) return;
    field.value = new URLSearchParams(location.hash.slice(1)).get("code") ?? "";
    history.replaceState(null, "", location.pathname);
  };

  // A box in a table's head checks all boxes of its form's list.
  document.addEventListener("change", (event) => {
    const all = event.target;
    if (all instanceof HTMLInputElement && all.dataset.all) {
      for (const box of document.querySelectorAll(`input[type=checkbox][name="${all.dataset.all}"]`)) box.checked = all.checked;
    }
    count();
  });

  // Lists say how many boxes are checked.
  const count = () => {
    for (const text of document.querySelectorAll("[data-count]")) {
      const n = document.querySelectorAll(`input[type=checkbox][name="${text.dataset.count}"]:checked`).length;
      text.textContent = n === 0 ? "none selected" : n + " selected";
    }
  };

  // Secrets that are shown once can be copied.
  document.addEventListener("click", async (event) => {
    const button = event.target.closest?.("button[data-copy]");
    if (!button) return;
    await navigator.clipboard.writeText(document.getElementById(button.dataset.copy).textContent);
    button.textContent = "Copied";
  });

  const start = () => {
    document.documentElement.classList.add("script");
    takeCode();
    count();
    follow();
    document.querySelector("[role=alert]")?.scrollIntoView({ block: "nearest" });
  };
  if (document.readyState === "loading") document.addEventListener("DOMContentLoaded", start);
  else start();
})();
