"use strict";
// Adds to a page that reads without it: search, keys, and buttons that copy.
(() => {
  const MOST_UNFOLDED = 400;
  const all = (selector, root = document) => [...root.querySelectorAll(selector)];

  const said = document.createElement("output");
  said.className = "said-aloud";
  document.body.append(said);

  // Copying. A browser may refuse the clipboard to a file: then the text is selected.
  const select = (code) => {
    const range = document.createRange();
    range.selectNodeContents(code);
    const selection = getSelection();
    selection.removeAllRanges();
    selection.addRange(range);
    return document.execCommand("copy");
  };
  const copy = async (button) => {
    const code = button.previousElementSibling;
    let copied;
    try {
      await navigator.clipboard.writeText(code.textContent);
      copied = true;
    } catch {
      copied = select(code);
    }
    button.textContent = copied ? "Copied" : "Selected";
    said.textContent = button.textContent;
    setTimeout(() => {
      button.textContent = "Copy";
      said.textContent = "";
    }, 2000);
  };
  for (const button of all("[data-copy]")) {
    button.hidden = false;
    button.addEventListener("click", () => copy(button));
  }

  // A link to something that is folded unfolds it.
  const reveal = () => {
    let at = document.getElementById(decodeURIComponent(location.hash.slice(1)));
    const target = at;
    for (; at; at = at.parentElement) if (at.tagName === "DETAILS") at.open = true;
    if (target) target.scrollIntoView();
  };
  addEventListener("hashchange", reveal);
  if (location.hash) reveal();

  // A tree: its lines as data, so that a search reads no layout.
  class Tree {
    constructor(tools) {
      this.tools = tools;
      this.list = tools.parentElement.querySelector(".tree");
      this.none = tools.parentElement.querySelector(".none");
      this.input = tools.querySelector("input[type=search]");
      this.count = tools.querySelector("output");
      this.lines = [];
      this.folds = [];
      this.before = null;
      this.collect(this.list, "", null);
      this.total = this.lines.length;
      tools.hidden = false;
      tools.addEventListener("input", () => this.filter());
      tools.addEventListener("click", (event) => this.fold(event.target));
      this.input.addEventListener("keydown", (event) => this.inSearch(event));
      this.list.addEventListener("keydown", (event) => this.inTree(event));
    }

    collect(list, prefix, parent) {
      for (const item of list.children) {
        const details = item.firstElementChild.tagName === "DETAILS" ? item.firstElementChild : null;
        const head = details ? details.firstElementChild : item;
        const name = prefix + head.firstElementChild.firstChild.data;
        const isLine = item.classList.contains("v");
        const line = { item, parent, name: name.toLowerCase(), found: false };
        if (isLine) this.lines.push(line);
        if (details) {
          const fold = isLine ? Object.assign(line, { details }) : { item, parent, details };
          this.folds.push(fold);
          this.collect(details.lastElementChild, isLine ? `${name}/` : name, fold);
        }
      }
    }

    filter() {
      const words = this.input.value.toLowerCase().split(/\s+/).filter(Boolean);
      const chosen = this.tools.querySelector("input[type=radio]:checked");
      const state = chosen ? chosen.value : "";
      const active = words.length > 0 || state !== "";
      if (active && !this.before) this.before = this.folds.map((fold) => fold.details.open);
      for (const fold of this.folds) fold.below = false;
      let count = 0;
      for (const line of this.lines) {
        line.found =
          words.every((word) => line.name.includes(word)) &&
          (!state || line.item.classList.contains(state));
        if (!line.found) continue;
        count += 1;
        for (let at = line.parent; at && !at.below; at = at.parent) at.below = true;
      }
      for (const line of this.lines) line.item.hidden = !line.found && !line.below;
      for (const fold of this.folds) if (!("found" in fold)) fold.item.hidden = !fold.below;
      this.unfold(active, count);
      const total = this.total.toLocaleString("en");
      const counted = active ? `${count.toLocaleString("en")} of ${total}` : total;
      this.count.textContent = `${counted} ${this.total === 1 ? "variable" : "variables"}`;
      this.none.hidden = count > 0;
    }

    // Unfolds what was found, if that is not too much; without a search, all is as it was.
    unfold(active, count) {
      this.folds.forEach((fold, place) => {
        const found = active && count <= MOST_UNFOLDED && fold.below && !fold.found;
        fold.details.open = found || (this.before ? this.before[place] : fold.details.open);
      });
      if (!active) this.before = null;
    }

    fold(button) {
      const open = button.dataset.fold;
      if (open === undefined) return;
      for (const fold of this.folds) if (!open || !("found" in fold)) fold.details.open = Boolean(open);
      this.before = null;
    }

    inSearch(event) {
      if (event.key === "Escape" && this.input.value) {
        event.preventDefault();
        this.input.value = "";
        this.filter();
      } else if (event.key === "ArrowDown") {
        event.preventDefault();
        const first = this.visible()[0];
        if (first) first.focus();
      }
    }

    inTree(event) {
      const at = event.target;
      if (at.tagName !== "SUMMARY" || event.ctrlKey || event.metaKey || event.altKey) return;
      const steps = { ArrowDown: 1, ArrowUp: -1 };
      const details = at.parentElement;
      let next = null;
      if (event.key in steps) {
        const shown = this.visible();
        const place = shown.indexOf(at) + steps[event.key];
        next = place < 0 ? this.input : shown[place];
      } else if (event.key === "ArrowRight" && !details.open) {
        details.open = true;
      } else if (event.key === "ArrowLeft" && details.open) {
        details.open = false;
      } else if (event.key === "ArrowLeft") {
        const above = details.parentElement.closest("details");
        next = above && this.list.contains(above) ? above.firstElementChild : null;
      } else {
        return;
      }
      event.preventDefault();
      if (next) next.focus();
    }

    // The lines that can be folded and are not folded away.
    visible(list = this.list, found = []) {
      for (const item of list.children) {
        const details = item.firstElementChild;
        if (item.hidden || details.tagName !== "DETAILS") continue;
        found.push(details.firstElementChild);
        if (details.open) this.visible(details.lastElementChild, found);
      }
      return found;
    }
  }
  const trees = all(".tools").map((tools) => new Tree(tools));

  addEventListener("keydown", (event) => {
    if (event.key !== "/" || event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.target.matches("input[type=search]")) return;
    const shown = trees.filter((tree) => tree.input.checkVisibility());
    const below = shown.find((tree) => tree.list.getBoundingClientRect().bottom > 0);
    if (!below) return;
    event.preventDefault();
    below.input.focus();
    below.input.select();
  });
})();
