import { Body, type ExecutionContext, Get, Post, Query, UseGuards } from '@nestjs/common';
import { lastValueFrom, of } from 'rxjs';
import { AllowsAnyInput } from './any-input.decorator';
import { UndeclaredInputInterceptor } from './undeclared-input.interceptor';

const door = { canActivate: () => true };

class Routes {
  @Post('nothing')
  @UseGuards(door)
  nothing(): string {
    return 'nothing';
  }

  @Post('body')
  @UseGuards(door)
  body(@Body() body: object): object {
    return body;
  }

  @Post('field')
  @UseGuards(door)
  field(@Body('name') name: string): string {
    return name;
  }

  @Get('query')
  @UseGuards(door)
  query(@Query() query: object): object {
    return query;
  }

  @Get('open')
  open(): string {
    return 'open';
  }

  @Post('any')
  @UseGuards(door)
  @AllowsAnyInput()
  any(): string {
    return 'any';
  }
}

@UseGuards(door)
class Behind {
  @Post()
  route(): string {
    return 'behind';
  }
}

@AllowsAnyInput()
class Free {
  @Post()
  route(): string {
    return 'free';
  }
}

const interceptor = new UndeclaredInputInterceptor();
const askOf = (type: { prototype: object }, handler: string, request: object): Promise<unknown> => {
  const context = {
    getClass: () => type,
    getHandler: () => (type.prototype as Record<string, unknown>)[handler],
    switchToHttp: () => ({ getRequest: () => ({ query: {}, body: undefined, ...request }) }),
  } as unknown as ExecutionContext;
  return Promise.resolve().then(() =>
    lastValueFrom(interceptor.intercept(context, { handle: () => of('answered') })),
  );
};
const ask = (handler: keyof Routes, request: object): Promise<unknown> => askOf(Routes, handler, request);

describe('what a route does not declare, behind its guards', () => {
  it('of the query is refused', async () => {
    await expect(ask('nothing', {})).resolves.toBe('answered');
    for (const request of [
      ask('nothing', { query: { x: '1' } }),
      askOf(Behind, 'route', { query: { x: '1' } }),
    ])
      await expect(request).rejects.toMatchObject({ code: 'UNKNOWN_FIELD', errors: [{ path: 'x' }] });
    await expect(ask('body', { query: { x: ['1', '2'] } })).rejects.toMatchObject({
      code: 'QUERY_DUPLICATE',
    });
    await expect(ask('body', { query: { 'x[]': '1' } })).rejects.toMatchObject({ code: 'QUERY_INVALID' });
  });

  it('of the query is left to the class of the query where there is one, and to the guard of open routes', async () => {
    await expect(ask('query', { query: { x: '1' } })).resolves.toBe('answered');
    await expect(ask('open', { query: { x: '1' } })).resolves.toBe('answered');
  });

  it('of the body is refused when something is in it, on open routes as well', async () => {
    for (const body of [undefined, {}]) await expect(ask('nothing', { body })).resolves.toBe('answered');
    for (const handler of ['nothing', 'query', 'open'] as const)
      await expect(ask(handler, { body: { name: 1, toString: 2 } })).rejects.toMatchObject({
        code: 'UNKNOWN_FIELD',
        errors: [{ path: 'name' }, { path: 'toString' }],
      });
    for (const body of [null, [], ['x'], 'x', 42, false])
      await expect(ask('nothing', { body })).rejects.toMatchObject({ code: 'BODY_INVALID' });
  });

  it('of the body is left to who takes it, or a field of it', async () => {
    await expect(ask('body', { body: ['x'] })).resolves.toBe('answered');
    await expect(ask('field', { body: { name: 1 } })).resolves.toBe('answered');
  });

  it('is let through where any input is allowed, by the route or its controller', async () => {
    const request = { query: { x: ['1', '2'] }, body: ['x'] };
    await expect(ask('any', request)).resolves.toBe('answered');
    await expect(askOf(Free, 'route', request)).resolves.toBe('answered');
  });
});
