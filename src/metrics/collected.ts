import { Counter, Gauge, type Registry } from 'prom-client';

export type Labels = Readonly<Record<string, string>>;
export type Sample = readonly [labels: Labels, value: number];

/**
 * Metrics of what others count: read from them at each scrape, so that there is one count, and a hit adds to it and to nothing
 * else. Labels have to come from closed lists.
 */
export class Collected {
  constructor(private readonly registry: Registry) {}

  counter(name: string, help: string, labelNames: readonly string[], read: () => readonly Sample[]): void {
    const counter: Counter = new Counter({
      name,
      help,
      labelNames,
      registers: [this.registry],
      collect: () => {
        counter.reset();
        for (const [labels, value] of read()) counter.inc(labels, value);
      },
    });
  }

  gauge(name: string, help: string, labelNames: readonly string[], read: () => readonly Sample[]): void {
    const gauge: Gauge = new Gauge({
      name,
      help,
      labelNames,
      registers: [this.registry],
      collect: () => {
        gauge.reset();
        // A gauge without labels begins at 0; one that has nothing to say is left out.
        if (labelNames.length === 0) gauge.remove();
        for (const [labels, value] of read()) gauge.set(labels, value);
      },
    });
  }
}
