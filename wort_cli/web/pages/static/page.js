// Live pages, buttons that copy, and the key "/".  Every page works without this.
"use strict";

// A part of the page with data-part gets the content that it has in the page as it is now on the server.
function update(fresh) {
  for (const part of document.querySelectorAll("[data-part]")) {
    const now = fresh.getElementById(part.id);
    if (!now || part.innerHTML === now.innerHTML || part.contains(document.activeElement)) continue;
    for (const details of part.querySelectorAll("details[id]")) {
      const other = now.querySelector("#" + details.id);
      if (other) other.open = details.open;
    }
    part.className = now.className;
    part.replaceChildren(...now.childNodes);
  }
  document.title = fresh.title;
  const news = document.querySelector("[data-say]");
  if (news) say(news.dataset.say);
}

// What a screen reader reads when it changes; of a progress only each tenth.
let said = document.querySelector("[data-say]")?.dataset.say ?? "";
function say(words) {
  if (words === said) return;
  said = words;
  document.getElementById("said").textContent = words;
}

function isTyping() {
  const fields = [...document.querySelectorAll("input, textarea")];
  return fields.some((field) => field.value !== field.defaultValue);
}

async function follow(main) {
  const seconds = Number(main.dataset.live);
  let wait = seconds;
  for (;;) {
    await new Promise((done) => setTimeout(done, wait * 1000));
    if (document.hidden) continue;
    try {
      const answer = await fetch(location.href, { headers: { Accept: "text/html" } });
      if (!answer.ok) throw new Error(answer.statusText);
      const fresh = new DOMParser().parseFromString(await answer.text(), "text/html");
      if (!fresh.getElementById("content").dataset.live) {
        if (isTyping()) update(fresh);
        else location.reload();  // it has ended: other parts may be there now
        return;
      }
      update(fresh);
      wait = seconds;
    } catch {
      wait = Math.min(60, wait * 2);
    }
  }
}

function addCopyButtons() {
  if (!navigator.clipboard) return;
  for (const code of document.querySelectorAll("code[data-copy]")) {
    const button = document.createElement("button");
    button.type = "button";
    button.className = "copy";
    button.textContent = "Copy";
    button.setAttribute("aria-label", `Copy ${code.textContent.slice(0, 80)}`);
    button.addEventListener("click", async () => {
      await navigator.clipboard.writeText(code.textContent);
      button.textContent = "Copied";
      say(`Copied ${code.textContent}`);
      setTimeout(() => { button.textContent = "Copy"; }, 1500);
    });
    const figure = code.closest("figure");
    if (figure) figure.append(button);
    else code.after(button);
  }
}

function listenForKeys() {
  for (const hint of document.querySelectorAll(".keys")) hint.hidden = false;
  document.addEventListener("keydown", (event) => {
    const field = document.querySelector(`[data-key="${CSS.escape(event.key)}"]`);
    const typing = event.target.closest("input, textarea, select");
    if (!field || typing || event.ctrlKey || event.metaKey || event.altKey) return;
    event.preventDefault();
    field.focus();
    field.select();
  });
}

// The message of a form is shown once: an address that is copied, or loaded again, has no key of it.
function forgetNotice() {
  const address = new URL(location.href);
  if (!address.searchParams.has("notice")) return;
  address.searchParams.delete("notice");
  history.replaceState(history.state, "", address);
}

forgetNotice();
const main = document.getElementById("content");
if (main && main.dataset.live) follow(main);
addCopyButtons();
listenForKeys();
