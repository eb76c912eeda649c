// A case belongs to the browser tab: what was typed for it stays in the tab's
// own storage, so that the way back to the empty form loses nothing, and two
// tabs can work on two cases. A question that got no answer, because the session
// had ended, is kept whole until it has one. Signing out forgets all of it; so
// does another person's sign-in in the same tab.

const key = "anagrafe-case";
const ofCase = ["case_kind", "case_ref", "offence", "reason"];
const ofQuestion = ["at", "date", "time", "until", "radius", "area", "route", "means", "speed", "arrival"];

interface Saved { user: string; values: Record<string, string>; answered: boolean }
type Field = HTMLInputElement | HTMLSelectElement | HTMLTextAreaElement;

export function keepCase(): void {
  document.querySelector('form[action="/logout"]')?.addEventListener("submit", () => sessionStorage.removeItem(key));
  const form = document.querySelector<HTMLFormElement>("#ask");
  if (!form) return;
  const user = form.dataset.user ?? "";
  const field = (name: string) => form.elements.namedItem(name) as Field | null;
  const saved = load(user);
  if (saved && document.querySelector("#answer")) {
    sessionStorage.setItem(key, JSON.stringify({ ...saved, answered: true }));
  } else if (saved && ofCase.every((name) => field(name)?.value === "")) {
    for (const name of saved.answered ? ofCase : [...ofCase, ...ofQuestion]) {
      const f = field(name);
      if (f) f.value = saved.values[name] ?? f.value;
    }
  }
  form.addEventListener("submit", () => {
    const values = Object.fromEntries([...ofCase, ...ofQuestion].map((name) => [name, field(name)?.value ?? ""]));
    sessionStorage.setItem(key, JSON.stringify({ user, values, answered: false } satisfies Saved));
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
