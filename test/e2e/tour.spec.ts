import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Application } from './harness/application';

interface Step {
  command: string;
  /** What it prints; `…` stands for anything within a line. */
  output: string;
}

const readme = readFileSync(join(__dirname, '../../README.md'), 'utf8');
const steps = stepsOf(/\n## A tour of the API\n([^]*?)\n## /.exec(readme)?.[1] ?? '');

/** The commands of `console` blocks: after `$ `, with lines that a backslash continues; what follows is what they print. */
function stepsOf(section: string): Step[] {
  const blocks = [...section.matchAll(/```console\n([^]*?)```/g)].map(([, text]) => text!);
  return blocks.flatMap(block =>
    block
      .split(/^\$ /m)
      .slice(1)
      .map(step => {
        const [, command = '', output = ''] = /^((?:.*\\\n)*.*)\n?([^]*)$/.exec(step) ?? [];
        return { command: command.replaceAll(/\\\n\s*/g, ' '), output: output.trimEnd() };
      }),
  );
}

function patternOf(output: string): RegExp {
  const escaped = output.replaceAll(/[.*+?^${}()|[\]\\]/g, String.raw`\$&`);
  return new RegExp(`^${escaped.replaceAll('…', '.*')}$`);
}

const variables: Record<string, string> = {};

/** As a shell runs it, against the application of the test. What it assigns is there for the commands that follow. */
function run(command: string, port: number): string {
  const assigned = /^([A-Z]+)=/.exec(command)?.[1];
  const local = command.replaceAll('localhost:10010', `localhost:${port}`);
  const { stdout, stderr, status } = spawnSync(
    'sh',
    ['-c', assigned === undefined ? local : `${local}; printf %s "$${assigned}"`],
    { encoding: 'utf8', timeout: 20_000, env: { ...process.env, ...variables } },
  );
  if (status !== 0) return `exit ${status}: ${stderr}`;
  const printed = stdout.replaceAll('\r', '').trimEnd();
  if (assigned === undefined) return printed;
  variables[assigned] = printed;
  return '';
}

describe('the tour of the README', () => {
  let app: Application;
  beforeAll(async () => {
    app = await Application.start({ REDIS_URL: undefined, NODE_ENV: 'development' });
  }, 60_000);
  afterAll(() => app.stop());

  it('has steps', () => expect(steps.length).toBeGreaterThan(15));

  it.each(steps)('$command', ({ command, output }) => {
    expect(run(command, app.port)).toMatch(patternOf(output));
  });
});

describe('the commands of the README that begin it all', () => {
  it('work as they are written, on a fresh start', async () => {
    const app = await Application.start({ REDIS_URL: undefined, NODE_ENV: 'development' });
    const written = readme
      .split('\n')
      .filter(line => /^curl -s http:\/\/localhost:10010|^curl -s -X POST/.test(line));
    expect(written).toHaveLength(3);
    for (const line of written) {
      const answer = JSON.parse(run(line.replace(' | jq .', ''), app.port)) as Record<string, unknown>;
      expect(answer).toHaveProperty('timestamp');
    }
    await app.stop();
  }, 60_000);
});
