(function () {
  "use strict";
  var find = document.getElementById("find"), box = document.getElementById("q"), found = document.getElementById("found");
  var rows = Array.prototype.map.call(document.getElementById("projects").rows, function (row) {
    return { row: row, text: row.textContent.toLowerCase() };
  });
  function search() {
    var words = box.value.toLowerCase().split(/\s+/).filter(Boolean), shown = 0;
    rows.forEach(function (r) {
      var hit = words.every(function (w) { return r.text.indexOf(w) >= 0; });
      r.row.hidden = !hit;
      if (hit) { shown++; }
    });
    found.textContent = words.length ? shown + " " + (shown === 1 ? find.dataset.single : find.dataset.many) : "";
  }
  find.hidden = false;
  box.addEventListener("input", search);
  if (location.hash.indexOf("#q=") === 0) {
    try { box.value = decodeURIComponent(location.hash.slice(3)); } catch (e) { box.value = ""; }
  }
  search();
})();
