// The times that are chosen at a click write what they stand for into the fields,
// and step back when somebody types there. Ctrl+Enter sends the form from any of
// its fields: in the reason Enter is a new line.
export function chooseTimes(): void {
  const form = document.querySelector<HTMLFormElement>("#ask");
  if (!form) return;
  const names = ["date", "time", "until"] as const;
  const field = (name: string) => form.elements.namedItem(name) as HTMLInputElement;
  const exact = document.querySelector<HTMLInputElement>("#when-exact");
  form.addEventListener("change", (e) => {
    const chip = e.target as HTMLInputElement;
    if (chip.name !== "when" || !chip.value) return;
    for (const name of names) field(name).value = chip.dataset[name] ?? "";
  });
  // A mouse that asks for another time goes on in its field; who walks through the
  // choices by keyboard stays on them.
  exact?.addEventListener("click", (e) => {
    if (e.detail > 0) field("time").select();
  });
  form.addEventListener("input", (e) => {
    if (exact && (names as readonly string[]).includes((e.target as HTMLInputElement).name)) exact.checked = true;
  });
  form.addEventListener("keydown", (e) => {
    if (e.key !== "Enter" || !(e.ctrlKey || e.metaKey)) return;
    e.preventDefault();
    form.requestSubmit();
  });
}
