// What an administrator does to a breaker from the page, with the token that he entered.
import { refusal } from './feed.js';

const KEY = 'registryd-token'; // in sessionStorage: gone with the tab

// Every action: what it does, and whether it may have an end.
export const ACTIONS = {
  trip: { done: 'Tripped', meaning: 'opens it for its usual time. The next calls of all workers are rejected' },
  reset: { done: 'Reset', meaning: 'closes it, clears streak, window and backoff, and ends an override' },
  'force-open': { done: 'Forced open', meaning: 'rejects every call, whatever their outcomes', lasts: true },
  disable: { done: 'Disabled', meaning: 'lets every call through unprotected and counts nothing', lasts: true },
  'metrics-only': { done: 'Only watching', meaning: 'lets every call through and counts them', lasts: true },
  auto: { done: 'Override ended', meaning: 'ends the override and closes the breaker' },
};

export function token() {
  return sessionStorage.getItem(KEY) ?? '';
}

// "" forgets it.
export function keepToken(text) {
  if (text) sessionStorage.setItem(KEY, text);
  else sessionStorage.removeItem(KEY);
}

// Returns what happened, as a sentence; throws an Error with what was wrong.
export async function act(name, action, { reason, forMs }) {
  const request = {};
  if (reason) request.reason = reason;
  if (forMs) request.for_ms = forMs;
  const answer = await fetch(`api/v1/breakers/${encodeURIComponent(name)}/${action}`, {
    method: 'POST',
    headers: { Authorization: `Bearer ${token()}`, 'Content-Type': 'application/json' },
    body: JSON.stringify(request),
  }).catch(() => {
    throw new Error('registryd cannot be reached; nothing was done');
  });
  if (!answer.ok) throw new Error(`registryd refused: ${await refusal(answer)}`);
  return `${ACTIONS[action].done}.`;
}
