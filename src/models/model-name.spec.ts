import { hostOf, isModelName, withTag } from './model-name';

describe('the name of a model', () => {
  it.each([
    'llama3',
    'llama3:8b',
    'library/llama3:8b',
    'hf.co/bartowski/Llama-3.2-1B-GGUF:Q4_K_M',
    'registry:5000/team/model',
  ])('may be %s', name => {
    expect(isModelName(name)).toBe(true);
  });

  it.each([
    '',
    '/',
    'a//b',
    'a/',
    ':x',
    '../etc/passwd',
    'a/../b',
    'a b',
    'a,b',
    'a\nb',
    '!x',
    'é',
    `${'a'.repeat(121)}`,
  ])('may not be %j', name => {
    expect(isModelName(name)).toBe(false);
  });

  it.each([
    ['llama3:8b', undefined],
    ['library/llama3:8b', undefined],
    ['HF.co/team/model:Q4_K_M', 'hf.co'],
    ['localhost/team/model', 'localhost'],
    ['10.0.0.1:8080/team/model', '10.0.0.1:8080'],
    ['registry:5000/model', 'registry:5000'],
    ['10.0.0.1/model', '10.0.0.1'],
    ['internal/a/b/c', 'internal'],
  ])('tells the host that a pull asks: %s', (name, host) => {
    expect(hostOf(name)).toBe(host);
  });

  it('without a tag means the latest', () => {
    expect(withTag('llama3')).toBe('llama3:latest');
    expect(withTag('registry:5000/team/model')).toBe('registry:5000/team/model:latest');
    expect(withTag('team/model:7b')).toBe('team/model:7b');
  });
});
