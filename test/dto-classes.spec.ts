import { readdirSync } from 'node:fs';
import { join } from 'node:path';

const source = join(__dirname, '../src');
const classes = readdirSync(source, { recursive: true, encoding: 'utf8' })
  .filter(file => file.endsWith('.dto.ts'))
  .flatMap(file => Object.values(jest.requireActual<Record<string, unknown>>(join(source, file))))
  .filter((each): each is new () => object => typeof each === 'function' && /^class\b/.test(String(each)));

describe('the classes of bodies and queries', () => {
  it('have no method: class-transformer leaves out a field of that name before it can be refused as unknown', () => {
    expect(classes.length).toBeGreaterThan(40);
    const methods = classes.flatMap(({ name, prototype }) =>
      Object.getOwnPropertyNames(prototype)
        .filter(member => member !== 'constructor')
        .map(member => `${name}.${member}`),
    );
    expect(methods).toEqual([]);
  });
});
