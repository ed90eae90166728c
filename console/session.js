// The API key or token that requests carry. It is kept for this tab alone, and until the tab is closed.

const NAME = 'ordem-credential';
const changes = new EventTarget();

export const credential = () => sessionStorage.getItem(NAME);
export const isSignedIn = () => credential() !== null;

export function signIn(text) {
  sessionStorage.setItem(NAME, text);
  changes.dispatchEvent(new Event('change'));
}

export function signOut() {
  sessionStorage.removeItem(NAME);
  changes.dispatchEvent(new Event('change'));
}

// Calls `listener` after each change.
export const onSession = (listener) => changes.addEventListener('change', listener);
