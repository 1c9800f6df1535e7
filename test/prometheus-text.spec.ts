import { problemsOf } from './e2e/harness/prometheus-text';

const help = (name: string, type: string): string => `# HELP ${name} Something.\n# TYPE ${name} ${type}\n`;

describe('the check of metrics texts', () => {
  it('finds nothing wrong with what is right', () => {
    const text =
      help('a_total', 'counter') +
      'a_total{b="c\\"d",e="f"} 1\na_total{b="g"} 2.5e+3\n' +
      help('h_seconds', 'histogram') +
      'h_seconds_bucket{le="0.1"} 1\nh_seconds_bucket{le="+Inf"} 2\nh_seconds_sum 3\nh_seconds_count 2\n';
    expect(problemsOf(text)).toEqual([]);
  });

  it.each([
    ['no HELP', '# TYPE a_total counter\na_total 1\n', /no HELP/],
    [
      'a series twice',
      `${help('a_total', 'counter')}a_total{b="c",d="e"} 1\na_total{d="e",b="c"} 1\n`,
      /twice/,
    ],
    ['a sample of another name', `${help('a_total', 'counter')}b_total 1\n`, /not under its TYPE/],
    ['a value that is none', `${help('a_total', 'counter')}a_total one\n`, /cannot be read/],
    ['a broken label', `${help('a_total', 'counter')}a_total{b="c} 1\n`, /cannot be read/],
    [
      'lines apart',
      `${help('a_total', 'counter')}a_total 1\n${help('b', 'gauge')}b 1\n# HELP a_total x\n`,
      /together/,
    ],
    ['a counter without its suffix', `${help('a', 'counter')}a 1\n`, /_total/],
    ['a gauge with it', `${help('a_total', 'gauge')}a_total 1\n`, /_total/],
    ['milliseconds', `${help('a_ms', 'gauge')}a_ms 1\n`, /base units/],
    ['a falling counter', `${help('a_total', 'counter')}a_total -1\n`, /below 0/],
    [
      'buckets that fall',
      `${help('h', 'histogram')}h_bucket{le="1"} 2\nh_bucket{le="+Inf"} 1\nh_sum 1\nh_count 1\n`,
      /fall/,
    ],
    ['no last bucket', `${help('h', 'histogram')}h_bucket{le="1"} 2\nh_sum 1\nh_count 2\n`, /\+Inf/],
    ['another count', `${help('h', 'histogram')}h_bucket{le="+Inf"} 1\nh_sum 1\nh_count 2\n`, /count/],
    ['no end of line', `${help('a', 'gauge')}a 1`, /line feed/],
  ])('finds %s', (_what, text, problem) => {
    expect(problemsOf(text).join('\n')).toMatch(problem);
  });
});
