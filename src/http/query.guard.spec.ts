import { type ExecutionContext, Get, type PipeTransform, Query, UseGuards } from '@nestjs/common';
import { IsIn } from 'class-validator';
import { AllowsAnyInput } from './any-input.decorator';
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
  none(): string {
    return 'none';
  }

  @Get('single')
  single(@Query('colour') colour: string): string {
    return colour;
  }

  @Get('any')
  @AllowsAnyInput()
  any(): string {
    return 'any';
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

  it('refuses any query of a route that takes none', async () => {
    await expect(ask('none', {})).resolves.toBe(true);
    await expect(ask('none', { size: '1', toString: '2' })).rejects.toMatchObject({
      code: 'UNKNOWN_FIELD',
      errors: [{ path: 'size' }, { path: 'toString' }],
    });
    await expect(ask('none', { size: ['1', '2'] })).rejects.toMatchObject({ code: 'QUERY_DUPLICATE' });
    await expect(ask('none', { 'size[]': '1' })).rejects.toMatchObject({ code: 'QUERY_INVALID' });
  });

  it('lets through the single parameters that a route names, and no other', async () => {
    await expect(ask('single', { colour: 'any' })).resolves.toBe(true);
    await expect(ask('single', { colour: 'any', size: '1' })).rejects.toMatchObject({
      code: 'UNKNOWN_FIELD',
    });
    await expect(ask('single', { colour: ['a', 'b'] })).rejects.toMatchObject({ code: 'QUERY_DUPLICATE' });
  });

  it('lets everything through to a route that allows any input', async () => {
    await expect(ask('any', { size: ['1', '2'], 'x[]': '3' })).resolves.toBe(true);
  });

  it('leaves guarded routes to their guards: those who may not come in learn nothing about the query', async () => {
    await expect(ask('guarded', { colour: 'green' })).resolves.toBe(true);
  });
});
