// A question that got no answer, because the session had ended, stays in the tab's
// own storage until it has one: after the login the page of its case opens again,
// and holds it. The case itself is in the address of the page. Signing out forgets
// the question; so does another person's sign-in in the same tab.

const key = "anagrafe-question";
const names = ["at", "date", "time", "until", "radius", "area", "route", "means", "speed", "arrival", "case_kind", "case_ref", "offence", "reason"];

interface Saved { user: string; page: string; values: Record<string, string> }
type Field = HTMLInputElement | HTMLSelectElement | HTMLTextAreaElement;

export function keepQuestion(): void {
  document.querySelector('form[action="/logout"]')?.addEventListener("submit", () => sessionStorage.removeItem(key));
  const form = document.querySelector<HTMLFormElement>("#ask");
  if (!form) return;
  const user = form.dataset.user ?? "";
  const page = form.dataset.page ?? "/";
  const field = (name: string) => form.elements.namedItem(name) as Field | null;
  const saved = load(user);
  if (saved && saved.page !== page && location.pathname === "/") { // after the login
    location.replace(saved.page);
    return;
  }
  const blank = !document.querySelector("#answer") && ["at", "area", "route"].every((name) => !field(name)?.value);
  if (saved && saved.page === page && blank) {
    for (const name of names) {
      const f = field(name);
      if (f) f.value = saved.values[name] ?? f.value;
    }
  } else { // it was answered, or its case is no more
    sessionStorage.removeItem(key);
  }
  form.addEventListener("submit", () => {
    const values = Object.fromEntries(names.map((name) => [name, field(name)?.value ?? ""]));
    sessionStorage.setItem(key, JSON.stringify({ user, page, values } satisfies Saved));
  });
}

function load(user: string): Saved | null {
  try {
    const saved = JSON.parse(sessionStorage.getItem(key) ?? "null") as Saved | null;
    if (saved && saved.user !== user) sessionStorage.removeItem(key);
    return saved?.user === user ? saved : null;
  } catch {
    sessionStorage.removeItem(key);
    return null;
  }
}
