/* As much of a browser as replay.js asks for; run(page, action) starts the page's script in it. */
"use strict";
const fs = require("fs");

function element(name) {
  const heard = {}, kept = { style: {}, dataset: {}, clientWidth: 400, children: [], attributes: {}, tagName: name.toUpperCase() };
  return Object.assign(kept, {
    addEventListener: (event, call) => (heard[event] = call),
    setAttribute: (key, value) => (kept.attributes[key] = value),
    append: (...items) => kept.children.push(...items),
    remove: () => {}, select: () => {},
    getBoundingClientRect: () => ({ left: 0, width: 400 }),
    fire: (event, given) => heard[event]({ target: kept, preventDefault: () => {}, ...given }),
    getContext: () => new Proxy({ drawn: 0 }, { get: (pen, key) => (key in pen ? pen[key] : () => {}), set: () => true }),
  });
}

function run(path, hash, reduced) {
  const text = fs.readFileSync(path, "utf-8"), found = {}, beats = [];
  const script = text.slice(text.lastIndexOf("<script>") + 8, text.lastIndexOf("</script>"));
  const json = text.match(/<script type="application\/json" id="data">(.*?)<\/script>/s)[1];
  const document = Object.assign(element("document"), {
    documentElement: { lang: "en" }, body: element("body"), createElement: element, execCommand: () => true,
    createTextNode: (words) => ({ textContent: words }), querySelectorAll: () => [],
    getElementById: (id) => (found[id] = found[id] || element(id === "speed" ? "select" : id === "play" ? "button" : "div")),
  });
  found.data = { textContent: json };
  const data = JSON.parse(json);
  data.series.forEach((series, i) => document.getElementById("count-" + i));
  const window = Object.assign(element("window"), {
    matchMedia: (query) => ({ matches: reduced && query.includes("reduced-motion"), addEventListener: () => {} }),
    getComputedStyle: () => ({ getPropertyValue: () => "#123456" }), requestAnimationFrame: (call) => beats.push(call),
    performance: { now: () => 0 }, location: { hash, href: "file:///replay.html" + hash }, navigator: {},
    history: { replaceState: (state, title, link) => (window.location.hash = link) }, innerWidth: 1200,
  });
  const parts = new Function("document", "window", script + "\nreturn { unpack, readHash, writeHash, frameAt, ticks };")(document, window);
  return { ...parts, data, document, window, found, beats };
}

module.exports = { run };
