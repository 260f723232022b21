// The before and after slider: the range input does the work, so pointer, touch and keys all move it.
for (const compare of document.querySelectorAll("[data-compare]")) {
  const range = compare.querySelector("input[type=range]");
  const show = () => {
    compare.style.setProperty("--split", `${range.value}%`);
    range.setAttribute("aria-valuetext", `${range.value} %`);
  };
  range.addEventListener("input", show);
  // The handle follows the pointer from where it is pressed, over the whole picture.
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
