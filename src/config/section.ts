import { z } from 'zod';
import { settingDoc } from './setting';

const sections = new WeakMap<object, { shape: z.core.$ZodShape }>();

/** A group of settings; an absent one means that all of them have their defaults. */
export function section<T extends z.core.$ZodShape>(
  shape: T,
): z.ZodType<z.output<z.ZodObject<T, z.core.$strict>>> {
  const object = z.strictObject(shape);
  const schema = z.preprocess(value => value ?? {}, object).prefault({});
  sections.set(schema, object);
  return schema;
}

/** One row of the table of settings. */
export interface SettingRow {
  /** Path in `config/*.yaml`, as `cache.namespace`. */
  key: string;
  env: string;
  default: string;
  unit: string;
  description: string;
}

/** The settings of a schema and of its sections, in their order. */
export function rowsOf(schema: { shape: z.core.$ZodShape }, path: readonly string[] = []): SettingRow[] {
  return Object.entries(schema.shape).flatMap(([name, child]) => {
    const inner = sections.get(child);
    if (inner) return rowsOf(inner, [...path, name]);
    const doc = settingDoc(child);
    if (!doc) throw new TypeError(`${[...path, name].join('.')} is neither a setting nor a section`);
    const byDefault = doc.defaultText ?? defaultText(doc.defaultValue);
    return [
      {
        key: [...path, name].join('.'),
        env: doc.env,
        default: byDefault,
        unit: doc.unit ?? '',
        description: doc.description,
      },
    ];
  });
}

function defaultText(value: unknown): string {
  return typeof value === 'boolean' ? (value ? 'on' : 'off') : String(value);
}
