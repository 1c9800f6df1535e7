/** What can be changed while the application runs, in sections. */
export interface SettingsDocument {
  features: {
    /** Whether agents can be created. */
    agent_registration: boolean;
    /** Whether agents can be removed. */
    agent_removal: boolean;
  };
  performance: {
    /** Agents on a page when the request does not say. */
    agents_page_size: number;
    /** Agents on a page at most. */
    agents_max_page_size: number;
  };
}

/** A change of some of them. */
export type SettingsChange = { [Section in keyof SettingsDocument]?: Partial<SettingsDocument[Section]> };

export const settingsDefaults: SettingsDocument = Object.freeze({
  features: Object.freeze({ agent_registration: true, agent_removal: true }),
  performance: Object.freeze({ agents_page_size: 50, agents_max_page_size: 200 }),
});

/** The document with a change laid over it, section by section; the base stays as it is. */
export function mergeSettings(base: SettingsDocument, change: SettingsChange): SettingsDocument {
  return {
    features: { ...base.features, ...withoutUndefined(change.features) },
    performance: { ...base.performance, ...withoutUndefined(change.performance) },
  };
}

/** Why a document cannot be used although each of its fields is right, or undefined. */
export function contradiction({ performance }: SettingsDocument): string | undefined {
  return performance.agents_page_size > performance.agents_max_page_size
    ? `performance.agents_page_size (${performance.agents_page_size}) must not be above performance.agents_max_page_size (${performance.agents_max_page_size})`
    : undefined;
}

function withoutUndefined<T extends object>(values: T | undefined): Partial<T> {
  return Object.fromEntries(
    Object.entries(values ?? {}).filter(([, value]) => value !== undefined),
  ) as Partial<T>;
}
