import { registryHosts } from './registry-hosts';
import { Refusal } from './setting';

describe('the hosts that models are pulled from', () => {
  it('are read in lower case, with their ports, each once', () => {
    expect(registryHosts('HF.co, registry.example.com:5000,hf.co')).toEqual([
      'hf.co',
      'registry.example.com:5000',
    ]);
    expect(registryHosts(['localhost:5000'])).toEqual(['localhost:5000']);
  });

  it.each(['off', false])('are none: %j', value => {
    expect(registryHosts(value)).toEqual([]);
  });

  it.each(['https://hf.co', 'hf.co/', 'hf.co,', 'a b', '*.hf.co', 'hf.co:', 'hf.co:123456', [7]])(
    'are no %j',
    value => {
      expect(registryHosts(value)).toBeInstanceOf(Refusal);
    },
  );
});
