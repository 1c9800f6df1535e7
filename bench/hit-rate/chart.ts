/** Shares of reads by outcome over time, as areas above each other. */
export interface Chart {
  readonly title: string;
  /** By time; each adds up to 1. */
  readonly shares: readonly Readonly<Record<string, number>>[];
}

const colours: Readonly<Record<string, string>> = {
  l1_hit: '#1b7837',
  l2_hit: '#7fbf7b',
  stale_hit: '#e6c44c',
  coalesced: '#f1a340',
  miss: '#b2182b',
};
export const chartOutcomes = Object.keys(colours);
const [width, height, left, top, gap] = [720, 130, 46, 34, 44];

/** One chart under the other, in SVG. */
export function chartsSvg(charts: readonly Chart[], minutes: number): string {
  const all = top + charts.length * (height + gap) + 24;
  const parts = [
    `<svg xmlns="http://www.w3.org/2000/svg" width="${width + left + 16}" height="${all}" font-family="sans-serif" font-size="11">`,
    '<rect width="100%" height="100%" fill="white"/>',
    ...chartOutcomes.map(
      (outcome, at) =>
        `<rect x="${left + at * 110}" y="8" width="11" height="11" fill="${colours[outcome]!}"/><text x="${left + 16 + at * 110}" y="18">${outcome.replace('_', ' ')}</text>`,
    ),
  ];
  for (const [index, { title, shares }] of charts.entries()) {
    const y = top + 16 + index * (height + gap);
    parts.push(`<text x="${left}" y="${y - 6}" font-weight="bold">${escaped(title)}</text>`);
    let floor = shares.map(() => 0);
    for (const outcome of chartOutcomes) {
      const roof = shares.map((share, at) => floor[at]! + (share[outcome] ?? 0));
      const x = (at: number): string => (left + (at / Math.max(1, shares.length - 1)) * width).toFixed(1);
      const of = (value: number): string => (y + height * (1 - value)).toFixed(1);
      const upper = roof.map((value, at) => `${x(at)},${of(value)}`);
      const lower = floor.map((value, at) => `${x(at)},${of(value)}`).reverse();
      parts.push(`<polygon points="${[...upper, ...lower].join(' ')}" fill="${colours[outcome]!}"/>`);
      floor = roof;
    }
    for (const share of [0, 0.5, 1])
      parts.push(
        `<text x="${left - 6}" y="${y + height * (1 - share) + 4}" text-anchor="end">${share * 100} %</text>`,
      );
    for (const part of [0, 0.5, 1])
      parts.push(
        `<text x="${left + part * width}" y="${y + height + 14}" text-anchor="middle">${minutes * part} min</text>`,
      );
  }
  return `${[...parts, '</svg>'].join('\n')}\n`;
}

function escaped(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;');
}
