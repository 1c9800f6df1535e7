import { CacheEvents } from './events';

describe('events', () => {
  test('reach every listener of their name until it stops listening', () => {
    const events = new CacheEvents();
    const heard: string[] = [];
    const stop = events.on('flush', ({ reason }) => heard.push(`1 ${reason}`));
    events.on('flush', ({ reason }) => heard.push(`2 ${reason}`));
    events.on('corrupt', () => heard.push('wrong'));
    events.emit('flush', { reason: 'armed' });
    stop();
    events.emit('flush', { reason: 'disconnected' });
    expect(heard).toEqual(['1 armed', '2 armed', '2 disconnected']);
  });

  test('a listener that throws is counted, and the next one hears the event', () => {
    const events = new CacheEvents();
    const heard: string[] = [];
    events.on('flush', () => {
      throw new Error('mine');
    });
    events.on('flush', ({ reason }) => heard.push(reason));
    events.emit('flush', { reason: 'armed' });
    expect([heard, events.listenerErrors, events.lastListenerError]).toEqual([
      ['armed'],
      1,
      new Error('mine'),
    ]);
  });

  test('nobody has to build an event that nobody hears', () => {
    const events = new CacheEvents();
    expect(events.heard('read')).toBe(false);
    const stop = events.on('read', () => undefined);
    expect(events.heard('read')).toBe(true);
    stop();
    expect(events.heard('read')).toBe(false);
  });
});
