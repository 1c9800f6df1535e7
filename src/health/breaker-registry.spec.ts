import { BreakerRegistry, type BreakerOwner } from './breaker-registry';

/** An owner whose open breakers close when they are reset. */
function ownerOf(...names: string[]): BreakerOwner & { open: Set<string> } {
  const open = new Set(names);
  return {
    open,
    breakers: () =>
      names.map(name => ({
        name,
        state: open.has(name) ? 'open' : 'closed',
        failures: 1,
        successes: 0,
        openedAtMs: null,
        nextProbeAtMs: null,
      })),
    resetBreakers: (which = names) => which.forEach(name => open.delete(name)),
  };
}

describe('the circuit breakers of the application', () => {
  it('are those of all owners, by name', () => {
    const registry = new BreakerRegistry([ownerOf('redis'), ownerOf('agents:b', 'agents:a')]);
    expect(registry.all().map(({ name }) => name)).toEqual(['agents:a', 'agents:b', 'redis']);
  });

  it('are closed one by one, whoever has it', () => {
    const [cache, agents] = [ownerOf('redis'), ownerOf('agents:a', 'agents:b')];
    expect(new BreakerRegistry([cache, agents]).reset('agents:a')).toEqual(['agents:a']);
    expect([...cache.open, ...agents.open]).toEqual(['redis', 'agents:b']);
  });

  it('are closed all at once', () => {
    const owners = [ownerOf('redis'), ownerOf('agents:a')];
    expect(new BreakerRegistry(owners).reset()).toEqual(['agents:a', 'redis']);
    expect(owners.flatMap(({ open }) => [...open])).toEqual([]);
  });

  it('of a name that nobody has are not there: 404, and nothing is closed', () => {
    const owner = ownerOf('redis');
    expect(() => new BreakerRegistry([owner]).reset('redis-1')).toThrow(
      expect.objectContaining({ status: 404, code: 'BREAKER_NOT_FOUND' }) as Error,
    );
    expect([...owner.open]).toEqual(['redis']);
  });
});
