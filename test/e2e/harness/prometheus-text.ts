/** One line of values. */
interface Sample {
  readonly name: string;
  readonly labels: ReadonlyMap<string, string>;
  readonly value: number;
}

const sampleLine =
  /^([a-zA-Z_:][a-zA-Z0-9_:]*)(?:\{((?:[a-zA-Z_]\w*="(?:[^"\\\n]|\\[\\n"])*",?)*)\})? (\S+)$/;
const labelPair = /([a-zA-Z_]\w*)="((?:[^"\\\n]|\\[\\n"])*)"/g;
const numeral = /^(?:[+-]?(?:\d+\.?\d*|\.\d+)(?:e[+-]?\d+)?|NaN|[+-]?Inf)$/i;
/** What prom-client names itself. */
const ofTheProcess = /^(?:nodejs|process)_/;

/**
 * What is wrong with a text for Prometheus, by the rules of the exposition format 0.0.4 and of `promtool check metrics`: HELP and
 * TYPE once and before the samples, series once and together, histograms that add up, and names with base units and suffixes.
 */
export function problemsOf(text: string): string[] {
  const problems: string[] = [];
  const types = new Map<string, string>();
  const helped = new Set<string>();
  const seen = new Set<string>();
  const closed = new Set<string>();
  const samples: Sample[] = [];
  let family = '';
  if (!text.endsWith('\n')) problems.push('the text does not end with a line feed');
  for (const line of text.split('\n')) {
    if (line === '') continue;
    const comment = /^# (HELP|TYPE) (\S+) (.+)$/.exec(line);
    if (comment) {
      const [, kind, name, rest] = comment as unknown as [string, string, string, string];
      if (name !== family) {
        if (closed.has(name)) problems.push(`${name}: its lines are not together`);
        if (family) closed.add(family);
        family = name;
      }
      if (kind === 'HELP') {
        if (helped.has(name)) problems.push(`${name}: a second HELP`);
        helped.add(name);
      } else {
        if (types.has(name)) problems.push(`${name}: a second TYPE`);
        if (!['counter', 'gauge', 'histogram', 'summary', 'untyped'].includes(rest))
          problems.push(`${name}: ${rest} is no type`);
        types.set(name, rest);
      }
      continue;
    }
    if (line.startsWith('#')) continue;
    const parts = sampleLine.exec(line);
    if (!parts || !numeral.test(parts[3]!)) {
      problems.push(`cannot be read: ${line}`);
      continue;
    }
    const [, name, labels = '', value] = parts as unknown as [string, string, string | undefined, string];
    if (name !== family && !isPartOf(name, family, types.get(family)))
      problems.push(`${name}: not under its TYPE`);
    const pairs = [...labels.matchAll(labelPair)].map(([, key, text]) => [key!, text!] as const);
    if (new Set(pairs.map(([key]) => key)).size !== pairs.length) problems.push(`${line}: a label twice`);
    const series = `${name}{${pairs
      .map(pair => pair.join('='))
      .sort()
      .join()}}`;
    if (seen.has(series)) problems.push(`${series}: twice`);
    seen.add(series);
    samples.push({
      name,
      labels: new Map(pairs),
      value: Number(value.replace(/^([+-]?)Inf$/i, '$1Infinity')),
    });
  }
  for (const [name, type] of types) {
    if (!helped.has(name)) problems.push(`${name}: no HELP`);
    if (type === 'histogram') problems.push(...histogramProblems(name, samples));
    if (type === 'counter')
      for (const sample of samples)
        if (sample.name === name && !(sample.value >= 0)) problems.push(`${name}: a counter below 0`);
    if (!ofTheProcess.test(name)) problems.push(...nameProblems(name, type));
  }
  return problems;
}

function isPartOf(name: string, family: string, type: string | undefined): boolean {
  if (type === 'histogram') return [`${family}_bucket`, `${family}_sum`, `${family}_count`].includes(name);
  return type === 'summary' && [`${family}_sum`, `${family}_count`].includes(name);
}

function histogramProblems(name: string, samples: readonly Sample[]): string[] {
  const problems: string[] = [];
  const buckets = new Map<string, [le: number, count: number][]>();
  for (const sample of samples) {
    if (sample.name !== `${name}_bucket`) continue;
    const { le, ...rest } = Object.fromEntries(sample.labels) as { le?: string };
    if (le === undefined) problems.push(`${name}_bucket: no le`);
    const series = JSON.stringify(rest);
    const list = buckets.get(series) ?? [];
    buckets.set(series, list);
    list.push([le === '+Inf' ? Infinity : Number(le), sample.value]);
  }
  for (const [series, list] of buckets) {
    const rises = (values: readonly number[], strictly: boolean): boolean =>
      values.every(
        (value, at) => at === 0 || value > values[at - 1]! || (!strictly && value === values[at - 1]),
      );
    if (
      !rises(
        list.map(([le]) => le),
        true,
      )
    )
      problems.push(`${name}${series}: buckets out of order`);
    if (
      !rises(
        list.map(([, count]) => count),
        false,
      )
    )
      problems.push(`${name}${series}: buckets that fall`);
    if (list.at(-1)![0] !== Infinity) problems.push(`${name}${series}: no bucket for +Inf`);
    const count = samples.find(
      sample =>
        sample.name === `${name}_count` && JSON.stringify(Object.fromEntries(sample.labels)) === series,
    );
    if (count?.value !== list.at(-1)![1]) problems.push(`${name}${series}: the count is not that of +Inf`);
  }
  return problems;
}

function nameProblems(name: string, type: string): string[] {
  const problems: string[] = [];
  if ((type === 'counter') !== name.endsWith('_total'))
    problems.push(`${name}: counters and nothing else end with _total`);
  if (/_(?:ms|milliseconds|minutes|hours|kb|mb|kilobytes|megabytes|percent)(?:_|$)/.test(name))
    problems.push(`${name}: not in base units`);
  if (/_(?:gauge|counter|histogram|summary)(?:_|$)/.test(name)) problems.push(`${name}: names its type`);
  if (/_(?:bucket|count|sum)$/.test(name)) problems.push(`${name}: ends as a part of a histogram`);
  if (/[A-Z]/.test(name)) problems.push(`${name}: not in snake_case`);
  return problems;
}
