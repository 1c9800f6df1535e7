import { createServer, type Server, type ServerResponse } from 'node:http';
import { connect, type AddressInfo, type Socket } from 'node:net';
import { eventually } from '../../test/e2e/harness/eventually';
import { isOver, onceOver } from './connection-end';

describe('the end of a response', () => {
  let server: Server;
  let socket: Socket;
  const responses: ServerResponse[] = [];

  beforeEach(async () => {
    responses.length = 0;
    server = createServer((_request, response) => responses.push(response));
    await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve));
    socket = connect((server.address() as AddressInfo).port, '127.0.0.1').resume();
  });
  afterEach(async () => {
    socket.destroy();
    await new Promise(resolve => server.close(resolve));
  });
  /** Sends requests one behind the other, without an answer to any. */
  async function pipelined(count: number): Promise<ServerResponse[]> {
    socket.write('GET / HTTP/1.1\r\nHost: x\r\n\r\n'.repeat(count));
    await eventually(() => expect(responses).toHaveLength(count));
    return responses;
  }

  it('is told once of each when the connection ends, also of those that wait behind another one', async () => {
    const over: number[] = [];
    for (const [index, response] of (await pipelined(33)).entries())
      onceOver(response, () => over.push(index));
    expect(over).toEqual([]);
    socket.destroy();
    await eventually(() => expect(over).toHaveLength(33));
    expect(new Set(over).size).toBe(33);
    expect(responses.every(isOver)).toBe(true);
  });

  it('is told when it has been sent, and leaves nothing behind on the connection', async () => {
    const [first, second] = await pipelined(2);
    const over: string[] = [];
    onceOver(first!, () => over.push('first'));
    const listeners = first!.req.socket.listenerCount('close');
    onceOver(second!, () => over.push('second'));
    expect(first!.req.socket.listenerCount('close')).toBe(listeners);
    first!.end();
    await eventually(() => expect(over).toEqual(['first']));
    expect([isOver(first!), isOver(second!)]).toEqual([true, false]);
    socket.destroy();
    await eventually(() => expect(over).toEqual(['first', 'second']));
  });

  it('is told at once when it has been, and not when nobody wants to know any more', async () => {
    const [response] = await pipelined(1);
    const over = jest.fn();
    onceOver(response!, over)();
    socket.destroy();
    await eventually(() => expect(isOver(response!)).toBe(true));
    expect(over).not.toHaveBeenCalled();
    onceOver(response!, over);
    expect(over).toHaveBeenCalledTimes(1);
  });
});
