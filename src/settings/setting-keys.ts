import { policies } from '../cache';
import { shownPolicies } from './policy-settings';
import { settingsDefaults } from './settings.document';

/** What the answer to GET /settings holds, but for its version: sections and values have the same names whatever is set. */
const shape: object = {
  environment: '',
  ...settingsDefaults,
  cache: { policies: shownPolicies({}, Object.values(policies)) },
};

const keys: ReadonlySet<string> = new Set(namesIn(shape));

/** Whether a text is the key of a section or of a value, as `section.name`. Nothing is looked up for any other one. */
export function isSettingKey(text: string): boolean {
  return keys.has(text);
}

function namesIn(values: object): string[] {
  return Object.entries(values).flatMap(([name, value]: [string, unknown]) => {
    const inside = typeof value === 'object' && value !== null ? namesIn(value) : [];
    return [name, ...inside.map(each => `${name}.${each}`)];
  });
}
