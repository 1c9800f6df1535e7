import { type ExecutionContext, Get, type PipeTransform, Query, UseGuards } from '@nestjs/common';
import { IsIn } from 'class-validator';
import { NoQuery } from './no-query.decorator';
import { QueryGuard } from './query.guard';

class ColourQuery {
  @IsIn(['red', 'blue'], { message: 'must be red or blue' })
  colour!: string;
}

/** What is allowed only while the application runs. */
class NotNow implements PipeTransform<ColourQuery, ColourQuery> {
  constructor(private readonly refused: string) {}

  transform(query: ColourQuery): ColourQuery {
    if (!(query instanceof ColourQuery)) throw new Error('asked before the class of the query');
    if (query.colour === this.refused) throw new Error(`not ${query.colour}`);
    return query;
  }
}

class Routes {
  @Get('open')
  open(@Query() query: ColourQuery): string {
    return query.colour;
  }

  @Get('piped')
  piped(@Query(NotNow) query: ColourQuery): string {
    return query.colour;
  }

  @Get('none')
  @NoQuery()
  none(): string {
    return 'none';
  }

  @Get('looked-at')
  @UseGuards({ canActivate: () => true })
  @NoQuery()
  lookedAt(): string {
    return 'looked-at';
  }

  @Get('free')
  free(): string {
    return 'free';
  }

  @Get('single')
  single(@Query('colour') colour: string): string {
    return colour;
  }

  @Get('guarded')
  @UseGuards({ canActivate: () => false })
  guarded(@Query() query: ColourQuery): string {
    return query.colour;
  }
}

const guard = new QueryGuard(pipe => new pipe('blue'));
const ask = (handler: keyof Routes, query: object): Promise<boolean> =>
  guard.canActivate({
    getClass: () => Routes,
    getHandler: () => Routes.prototype[handler],
    switchToHttp: () => ({ getRequest: () => ({ query }) }),
  } as unknown as ExecutionContext);

describe('the guard of queries', () => {
  it('refuses what the class of the handler refuses, before anything else is asked', async () => {
    await expect(ask('open', { colour: 'red' })).resolves.toBe(true);
    await expect(ask('open', { colour: 'green' })).rejects.toMatchObject({ code: 'VALIDATION_FAILED' });
    await expect(ask('open', { colour: 'red', size: '1' })).rejects.toMatchObject({ code: 'UNKNOWN_FIELD' });
    await expect(ask('open', { colour: ['red', 'blue'] })).rejects.toMatchObject({ code: 'QUERY_DUPLICATE' });
  });

  it('asks the pipes at the parameter behind the class, with what it has made of the query', async () => {
    await expect(ask('piped', { colour: 'red' })).resolves.toBe(true);
    await expect(ask('piped', { colour: 'blue' })).rejects.toThrow('not blue');
    await expect(ask('piped', { colour: 'green' })).rejects.toMatchObject({ code: 'VALIDATION_FAILED' });
  });

  it.each(['none', 'lookedAt'] as const)(
    'refuses any parameter of a route that takes none (%s)',
    async route => {
      await expect(ask(route, {})).resolves.toBe(true);
      await expect(ask(route, { size: '1', 'x[]': ['a', 'b'] })).rejects.toMatchObject({
        code: 'UNKNOWN_FIELD',
        errors: [{ path: 'size' }, { path: 'x[]' }],
      });
    },
  );

  it('leaves handlers alone that take no query, or single parameters of it', async () => {
    await expect(ask('free', { size: '1' })).resolves.toBe(true);
    await expect(ask('single', { colour: ['a', 'b'] })).resolves.toBe(true);
  });

  it('leaves guarded routes to their guards: those who may not come in learn nothing about the query', async () => {
    await expect(ask('guarded', { colour: 'green' })).resolves.toBe(true);
  });
});
