/** Longest name that is passed on, in characters. A tag made of it stays within the 128 bytes of a tag. */
export const maxModelNameCharacters = 120;

/** `[host[:port]/][namespace/]model[:tag]`, as Ollama writes it. */
const pattern = /^[A-Za-z0-9](?:[A-Za-z0-9._-]*)(?:[:/][A-Za-z0-9._-]+)*$/;

/** Whether a text can be the name of a model at all; nothing else is ever sent to the provider. */
export function isModelName(text: string): boolean {
  return text.length <= maxModelNameCharacters && pattern.test(text) && !text.includes('..');
}

/**
 * The host that a pull of this name asks, with its port, in lower case; `undefined` where it is the registry of Ollama. Ollama reads
 * one where the name has three parts; a first part of two that no namespace can be counts as one as well.
 */
export function hostOf(name: string): string | undefined {
  const [first = '', ...rest] = name.split('/');
  const isHost = rest.length > 1 || (rest.length === 1 && /[.:]/.test(first));
  return isHost ? first.toLowerCase() : undefined;
}

/** The full name: Ollama reads a name without a tag as `:latest`. */
export function withTag(name: string): string {
  const last = name.slice(name.lastIndexOf('/') + 1);
  return last.includes(':') ? name : `${name}:latest`;
}
