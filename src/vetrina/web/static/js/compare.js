// Before/after slider: built on a range input, so that pointer, touch and keys work.
for (const compare of document.querySelectorAll("[data-compare]")) {
  const range = compare.querySelector("input[type=range]");
  const show = () => {
    compare.style.setProperty("--split", `${range.value}%`);
    range.setAttribute("aria-valuetext", `${range.value} %`);
  };
  range.addEventListener("input", show);
  // The handle follows a pressed pointer over the whole image.
  const follow = (event) => {
    const box = range.getBoundingClientRect();
    range.value = Math.round(((event.clientX - box.left) / box.width) * 100);
    show();
  };
  range.addEventListener("pointerdown", (event) => {
    range.setPointerCapture(event.pointerId);
    follow(event);
  });
  range.addEventListener("pointermove", (event) => range.hasPointerCapture(event.pointerId) && follow(event));
  show();
}
