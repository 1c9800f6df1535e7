import { validateCronExpression } from 'cron';
import { z } from 'zod';

/** What the table of settings says about one of them; kept in the schema, so that it cannot drift from it. */
export interface SettingDoc {
  /** Environment variable; it wins over the files. */
  env: string;
  /** One sentence: what it does, and what an unusual value means. */
  description: string;
  /** Unit of the value: `ms`, `bytes`, `entries`, …; absent for plain words. */
  unit?: string;
  /** The default in words, where it depends on something or is "none". */
  defaultText?: string;
  /** The value may hold a secret: it is never repeated in a message. */
  secret?: boolean;
}

type Parse<T> = (value: unknown) => T | Refusal;

/** Why a value is refused; completes the sentence "PORT must …". */
export class Refusal {
  constructor(readonly reason: string) {}
}

const docs = new WeakMap<object, SettingDoc & { defaultValue: unknown }>();

/**
 * A leaf of the schema: how to read it (from a string of the environment or a value of the YAML file), its default
 * and its documentation. `undefined`, `null` and `''` mean "not set".
 */
export function setting<T>(parse: Parse<T>, defaultValue: T, doc: SettingDoc): z.ZodType<T> {
  const read = z.unknown().transform((value, context): T => {
    if (isUnset(value)) return defaultValue;
    const parsed = parse(value);
    if (!(parsed instanceof Refusal)) return parsed;
    context.addIssue({
      code: 'custom',
      message: doc.secret ? parsed.reason : `${parsed.reason}, not ${show(value)}`,
    });
    return z.NEVER;
  });
  const schema = read.prefault(null); // an absent key is read as well, so that it gets its default
  docs.set(schema, { ...doc, defaultValue });
  return schema;
}

/** The documentation of a leaf made by `setting`, or undefined for any other schema. */
export function settingDoc(schema: object): (SettingDoc & { defaultValue: unknown }) | undefined {
  return docs.get(schema);
}

export function wholeNumber(min: number, max: number): Parse<number> {
  return value => {
    const read = typeof value === 'string' && /^-?\d{1,15}$/.test(value.trim()) ? Number(value) : value;
    const fits = typeof read === 'number' && Number.isInteger(read) && read >= min && read <= max;
    return fits ? read : new Refusal(`must be a whole number from ${min} to ${max}`);
  };
}

export function oneOf<const T extends string>(...words: readonly T[]): Parse<T> {
  return value => words.find(word => word === value) ?? new Refusal(`must be one of ${words.join(', ')}`);
}

export const onOff: Parse<boolean> = value => {
  if (value === true || value === 'on' || value === 'true') return true;
  if (value === false || value === 'off' || value === 'false') return false;
  return new Refusal('must be on or off');
};

export function text(pattern: RegExp, rule: string): Parse<string> {
  return value => (typeof value === 'string' && pattern.test(value) ? value : new Refusal(`must be ${rule}`));
}

/** A cron expression of 5 or 6 fields as the `cron` package reads it, or the word `off`. */
export const cronOrOff: Parse<string> = value => {
  const rule = 'must be a cron expression of 5 or 6 fields, or off';
  if (typeof value !== 'string') return new Refusal(rule);
  const fields = value.trim().split(/\s+/).length;
  const isCron = (fields === 5 || fields === 6) && validateCronExpression(value).valid;
  return value === 'off' || isCron ? value : new Refusal(rule);
};

/** A URL with one of the schemes (`http:` …) and a host. The value itself never stands in the message: it may hold a password. */
export function url(schemes: readonly string[], rule: string): Parse<string> {
  return value => {
    if (typeof value !== 'string' || !URL.canParse(value)) return new Refusal(`must be ${rule}`);
    const parsed = new URL(value);
    return schemes.includes(parsed.protocol) && parsed.hostname !== ''
      ? value
      : new Refusal(`must be ${rule}`);
  };
}

/** Not set: absent, `null`, or an empty string, as `docker compose` passes a variable that nobody gave. */
export function isUnset(value: unknown): boolean {
  return value === undefined || value === null || value === '';
}

function show(value: unknown): string {
  const shown = JSON.stringify(value) ?? typeof value;
  return shown.length <= 64 ? shown : `${shown.slice(0, 63)}…`;
}
