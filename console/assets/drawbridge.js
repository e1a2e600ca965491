// What a browser adds to pages that are complete without it: local times, copying, keys, quick ticking and the rules of a password.
(function () {
  "use strict";

  const all = (selector, root) => Array.from((root || document).querySelectorAll(selector));
  const known = new WeakSet();
  const fresh = (selector, root) =>
    all(selector, root).filter((element) => {
      const first = !known.has(element);
      known.add(element);
      return first;
    });
  const lang = document.documentElement.lang;
  const locale = navigator.language.startsWith(lang) ? navigator.language : lang;
  const parts = { month: "short", day: "numeric", hour: "2-digit", minute: "2-digit" };
  const thisYear = new Intl.DateTimeFormat(locale, parts);
  const otherYear = new Intl.DateTimeFormat(locale, { ...parts, year: "numeric" });
  const now = new Date();

  // setUp takes hold of what is new in the page: all of it at first, later what was fetched.
  function setUp(root) {
    // Times: local, with UTC on hover.
    for (const time of fresh("time[datetime]", root)) {
      const at = new Date(time.dateTime);
      if (Number.isNaN(at.getTime())) continue;
      time.title = time.textContent;
      time.textContent = (at.getFullYear() === now.getFullYear() ? thisYear : otherYear).format(at);
    }

    // Copying. Without a secure context there is no clipboard; then the text is selected, ready for Ctrl+C.
    for (const button of fresh("button[data-copy]", root)) {
      button.hidden = false;
      button.addEventListener("click", async () => {
        const code = button.parentElement.querySelector("code");
        try {
          await navigator.clipboard.writeText(button.dataset.copy);
          say(button, button.dataset.done);
        } catch {
          window.getSelection().selectAllChildren(code);
          say(button, button.dataset.press);
        }
      });
    }

    // Ticking: everybody at once, everything in between with shift, and a count.
    for (const form of fresh("form[data-select]", root)) {
      const boxes = all("tbody input[type=checkbox]:not(:disabled)", form);
      const master = form.querySelector("input[data-all]");
      const count = form.querySelector("[data-count]");
      const bar = form.querySelector("[data-ticked]");
      const every = form.querySelector("[data-everybody] input");
      let last = null;
      const refresh = () => {
        const ticked = boxes.filter((box) => box.checked).length;
        for (const box of boxes) box.closest("tr").classList.toggle("picked", box.checked);
        if (count) count.textContent = ticked === 0 ? count.dataset.none : ticked + " " + (ticked === 1 ? count.dataset.one : count.dataset.many);
        if (bar) bar.hidden = ticked === 0;
        if (every) {
          every.parentElement.hidden = ticked < boxes.length;
          if (ticked < boxes.length) every.checked = false;
          count.hidden = every.checked;
        }
        if (master) {
          master.checked = ticked > 0 && ticked === boxes.length;
          master.indeterminate = ticked > 0 && ticked < boxes.length;
        }
      };
      for (const box of boxes) {
        box.addEventListener("click", (event) => {
          if (event.shiftKey && last && last !== box) {
            const [from, to] = [boxes.indexOf(last), boxes.indexOf(box)].sort((a, b) => a - b);
            for (const between of boxes.slice(from, to + 1)) between.checked = box.checked;
          }
          last = box;
          refresh();
        });
        box.addEventListener("change", refresh);
      }
      if (master) {
        master.hidden = false;
        master.addEventListener("change", () => {
          for (const box of boxes) box.checked = master.checked;
          refresh();
        });
      }
      if (every) every.addEventListener("change", refresh);
      refresh();
    }

    // Permissions of a role: a level ticks its row, and ticks find their level.
    for (const table of fresh("table[data-grants]", root)) {
      for (const row of all("tr", table)) {
        const level = row.querySelector("select[name^='level.']");
        if (!level) continue;
        const boxes = all("input[data-action]", row);
        const match = () => {
          const ticked = boxes.filter((box) => box.checked).map((box) => box.dataset.action).join(" ");
          const found = Array.from(level.options).find((option) => option.value !== "" && option.dataset.actions === ticked);
          level.value = found ? found.value : "";
        };
        level.addEventListener("change", () => {
          if (level.value === "") return;
          const actions = level.selectedOptions[0].dataset.actions.split(" ");
          for (const box of boxes) box.checked = actions.includes(box.dataset.action);
        });
        for (const box of boxes) box.addEventListener("change", match);
        match();
      }
    }

    // Rules of a new password, while it is typed. Without an answer they stay as they are: the server looks again.
    for (const list of fresh("ul[data-rules]", root)) {
      const input = list.closest(".field").querySelector("input[type=password]");
      let asked = 0;
      let timer;
      const ask = async () => {
        const mine = ++asked;
        let holds;
        try {
          const answer = await fetch(list.dataset.rules, { method: "POST", body: new URLSearchParams({ password: input.value }) });
          holds = answer.ok && !answer.redirected ? await answer.json() : {};
        } catch {
          return;
        }
        if (mine !== asked) return;
        for (const rule of all("[data-rule]", list)) {
          const kept = holds[rule.dataset.rule];
          rule.classList.toggle("kept", kept === true);
          rule.classList.toggle("broken", kept === false && input.value !== "");
        }
      };
      input.addEventListener("input", () => {
        clearTimeout(timer);
        timer = setTimeout(ask, 250);
      });
    }

    // A role that cannot be held at the chosen place is not offered.
    for (const select of fresh("select[data-narrows]", root)) {
      const roles = select.form.elements[select.dataset.narrows];
      const narrow = () => {
        const scope = select.value === "" ? "" : select.value === "platform" ? "platform" : "tenant";
        for (const group of all("optgroup[data-scope]", roles)) {
          group.disabled = group.hidden = scope !== "" && group.dataset.scope !== scope;
          if (group.disabled && group.contains(roles.selectedOptions[0])) roles.value = "";
        }
      };
      select.addEventListener("change", narrow);
      narrow();
    }

    // What belongs to another choice is out of the way.
    for (const choice of fresh("[data-reveals]", root)) {
      const form = choice.form || choice.closest("form");
      const follow = () => {
        const chosen = choice.value || (choice.querySelector("input:checked") || {}).value;
        for (const part of all("[data-for]", form)) part.hidden = !part.dataset.for.split(" ").includes(chosen);
      };
      choice.addEventListener("change", follow);
      follow();
    }

    // A type of people proposes a role, until somebody chose one.
    for (const type of fresh("select:has(> option[data-role])", root)) {
      const role = type.form && type.form.elements.role;
      if (!role) continue;
      let own = role.value !== "";
      role.addEventListener("change", () => (own = role.value !== ""));
      const propose = () => {
        const proposed = type.selectedOptions[0] && type.selectedOptions[0].dataset.role;
        if (!own && proposed) role.value = proposed;
      };
      type.addEventListener("change", propose);
      propose();
    }

    // A select of a row sends the row's own button; without scripts the button is pressed.
    for (const select of fresh("select[data-submit]", root)) {
      const button = select.parentElement.querySelector("button");
      button.classList.add("sr");
      button.tabIndex = -1;
      select.addEventListener("change", () => select.form.requestSubmit(button));
    }

    // A file that is too large is said before it is sent.
    for (const input of fresh("input[type=file][data-max]", root)) {
      input.addEventListener("change", () => {
        const file = input.files[0];
        const most = Number(input.dataset.max);
        input.setCustomValidity(file && file.size > most ? input.dataset.large : "");
        input.reportValidity();
      });
    }
  }

  function say(button, text) {
    button.dataset.copies = button.dataset.copies || button.textContent;
    button.textContent = text;
    button.classList.add("done");
    setTimeout(() => {
      button.textContent = button.dataset.copies;
      button.classList.remove("done");
    }, 2000);
  }

  // What is being worked on is looked at again until it is done; then the whole page is. Without an answer it is asked again later.
  const live = document.querySelector("[data-live]");
  if (live && !new URLSearchParams(location.search).has("still")) {
    let wait = 1000;
    const look = async () => {
      try {
        const answer = await fetch(location.href, { headers: { Accept: "text/html" } });
        const page = new DOMParser().parseFromString(await answer.text(), "text/html");
        const fresh = page.querySelector("[data-live]");
        if (answer.ok && !answer.redirected && !fresh) {
          location.reload();
          return;
        }
        if (fresh) live.replaceChildren(...fresh.childNodes);
      } catch {
        wait = Math.min(wait * 2, 30000);
      }
      setTimeout(look, wait);
    };
    setTimeout(look, wait);
  }

  // Keys.
  const rowsOfPage = () => all("table[data-rows] tbody tr");
  const help = document.getElementById("keys");
  let current = -1;

  function go(step) {
    const rows = rowsOfPage();
    if (rows.length === 0) return;
    if (rows[current]) rows[current].classList.remove("current");
    current = Math.min(rows.length - 1, Math.max(0, current + step));
    const row = rows[current];
    row.classList.add("current");
    const target = row.querySelector("a.row") || row.querySelector("input:not(:disabled)");
    if (target) target.focus({ preventScroll: true });
    row.scrollIntoView({ block: "nearest" });
  }

  const keys = {
    j: () => go(1),
    k: () => go(-1),
    x: () => {
      const row = rowsOfPage()[current];
      const box = row && row.querySelector("input[type=checkbox]:not(:disabled)");
      if (box) box.click();
    },
    "/": () => {
      const search = document.querySelector("input[type=search]");
      if (search) {
        search.focus();
        search.select();
      }
    },
    "?": () => help && !help.open && help.showModal(),
  };

  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || event.isComposing) return;
    const typing = event.target.closest("input:not([type=checkbox]):not([type=radio]), textarea, select");
    if (typing) {
      if (event.key === "Escape") event.target.blur();
      return;
    }
    if (help && help.open) return;
    const box = event.target.matches("table[data-rows] tbody input[type=checkbox]");
    if (event.key === "Enter" && (box || event.target === document.body)) {
      const row = box ? event.target.closest("tr") : rowsOfPage()[current];
      const link = row && row.querySelector("a.row");
      if (box) event.preventDefault(); // it would send the form of the list
      if (link) link.click();
      return;
    }
    const act = keys[event.key];
    if (act) {
      event.preventDefault();
      act();
    }
  });

  // A form is sent once: its buttons wait for the answer. Whoever comes back by the browser's history can press them again.
  document.addEventListener("submit", (event) => {
    if (!event.target.matches("form[data-once]")) return;
    if (event.target.dataset.sent) {
      event.preventDefault();
      return;
    }
    event.target.dataset.sent = "yes";
    setTimeout(() => {
      for (const button of all("button:not([type=button])", event.target)) button.disabled = true;
    });
  });
  window.addEventListener("pageshow", () => {
    for (const form of all("form[data-sent]")) {
      delete form.dataset.sent;
      for (const button of all("button", form)) button.disabled = false;
    }
  });

  // A row opens by a double click too.
  document.addEventListener("dblclick", (event) => {
    const row = event.target.closest("table[data-rows] tbody tr");
    const link = row && !event.target.closest("a, button, input, select, label") && row.querySelector("a.row");
    if (link) link.click();
  });

  // Choosing in a list sends its form, where it says so.
  document.addEventListener("change", (event) => {
    const form = event.target.closest("form[data-send]");
    if (form) form.requestSubmit();
  });

  // A menu that is open closes by Escape, and the button in the corner by a click elsewhere.
  document.addEventListener("keydown", (event) => {
    const menu = event.key === "Escape" && document.querySelector("details.gear[open], details.drawer[open]");
    if (!menu) return;
    menu.open = false;
    menu.querySelector("summary").focus();
  });
  document.addEventListener("click", (event) => {
    const gear = document.querySelector("details.gear[open]");
    if (gear && !gear.contains(event.target)) gear.open = false;
  });

  setUp(document);
  document.addEventListener("htmx:after:swap", () => {
    current = -1;
    setUp(document);
  });
})();
