// The library: uploads with progress, and what is selected.
import { sendAll, takeDrops, takePastes } from "./upload.js";

const form = document.querySelector("form[data-uploads]");
if (form) {
  const list = form.querySelector("[data-upload-list]");
  const take = async (files) => {
    let arrived = 0;
    await sendAll(files, {
      list,
      category: form.elements.category.value,
      maxBytes: Number(form.dataset.maxBytes),
      done: () => (arrived += 1),
    });
    // Refused files stay listed with their reason; otherwise the new pictures are shown in the grid.
    if (arrived && !list.querySelector(".is-bad")) location.assign("/library");
  };
  takeDrops(form.querySelector(".drop"), take);
  takePastes(take);
}

const files = document.getElementById("files")?.closest("form");
if (files) {
  const count = files.querySelector("[data-selected-count]");
  const show = () => {
    const n = files.querySelectorAll("input[name=id]:checked").length;
    count.textContent = n === 1 ? "1 picture selected" : `${n} pictures selected`;
  };
  files.addEventListener("change", show);
  files.querySelector("[data-unselect]").addEventListener("click", () => {
    for (const box of files.querySelectorAll("input[name=id]:checked")) box.checked = false;
    show();
  });
}
