// What is wider than the page can be scrolled with a keyboard, too.
addEventListener("load", () => {
  for (const it of document.querySelectorAll("pre, .table-wrapper, .math-wrapper"))
    if (it.scrollWidth > it.clientWidth) it.tabIndex = 0;
});
