/* A divider between the picture before and the one after: a range input over both, for mouse, finger and keys. */
for (const input of document.querySelectorAll(".before-after input")) {
  const show = () => input.parentElement.style.setProperty("--divider", `${input.value}%`);
  input.addEventListener("input", show);
  show();
}
