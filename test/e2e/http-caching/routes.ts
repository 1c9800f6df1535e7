import {
  Body,
  Controller,
  Delete,
  Get,
  Header,
  Headers,
  HttpCode,
  HttpException,
  Injectable,
  Param,
  Post,
  Query,
  Req,
  Res,
  Sse,
  StreamableFile,
  UnauthorizedException,
  UseGuards,
  type CanActivate,
  type ExecutionContext,
} from '@nestjs/common';
import type { Request, Response } from 'express';
import { of } from 'rxjs';
import { CacheApiResponse, InvalidatesCache, type PrincipalResolver } from '../../../src/cache';
import { AllowsAnyInput } from '../../../src/http/any-input.decorator';
import { Handlers } from './served-application';

export const handlers = new Handlers();

interface User {
  id: string;
  tenant: string;
}

/** Who is signed in, by bearer token. */
export const users = new Map<string, User>();

export function signInEverybody(): void {
  users.clear();
  users.set('alice-token', { id: 'alice', tenant: 'acme' });
  users.set('bob-token', { id: 'bob', tenant: 'acme' });
  users.set('carol-token', { id: 'carol', tenant: 'other' });
}

type AskedRequest = Request & { user?: User };

/** Lets nobody in with a token that is not known; without a token everybody is anonymous. */
@Injectable()
export class TokenGuard implements CanActivate {
  canActivate(context: ExecutionContext): boolean {
    const request = context.switchToHttp().getRequest<AskedRequest>();
    const token = /^Bearer (.+)$/.exec(request.headers.authorization ?? '')?.[1];
    if (token === undefined) return true;
    const user = users.get(token);
    if (!user) throw new UnauthorizedException();
    request.user = user;
    return true;
  }
}

export const principal: PrincipalResolver = {
  principalOf: request => {
    const { user } = request as AskedRequest;
    return user && { user: user.id, tenant: user.tenant };
  },
};

@Controller('personal')
@UseGuards(TokenGuard)
export class PersonalController {
  @Get('me')
  @CacheApiResponse({ key: 'personal:me', principal: 'user' })
  async me(@Req() request: AskedRequest): Promise<object> {
    const call = handlers.called(`me ${request.user?.id ?? 'nobody'}`);
    await handlers.wait();
    return { user: request.user?.id ?? null, call };
  }

  @Get('team')
  @CacheApiResponse({ key: 'personal:team', principal: 'tenant' })
  team(@Req() request: AskedRequest): object {
    return { tenant: request.user?.tenant ?? null, call: handlers.called('team') };
  }

  @Get('private')
  @Header('Cache-Control', 'private, max-age=60')
  @CacheApiResponse({ key: 'personal:private', principal: 'user' })
  private(): object {
    return { call: handlers.called('private') };
  }

  @Get('fleeting')
  @CacheApiResponse({ key: 'personal:fleeting', principal: 'user', ttlMs: 1, staleMs: 600_000, jitter: 0 })
  fleeting(@Req() request: AskedRequest): object {
    const user = request.user?.id ?? 'nobody';
    return { user, call: handlers.called(`fleeting ${user}`) };
  }

  @Get('public')
  @CacheApiResponse({ key: 'personal:public' })
  public(): object {
    return { call: handlers.called('public') };
  }
}

/** Every kind of answer, as the row of a table asks for it. */
@Controller('answers')
export class AnswersController {
  static response: (response: Response) => unknown = () => ({});

  @Get('any')
  @CacheApiResponse({ key: 'answers:any' })
  any(@Res({ passthrough: true }) response: Response): unknown {
    handlers.called('any');
    return AnswersController.response(response);
  }

  @Get('optional')
  @CacheApiResponse({
    key: 'answers:optional',
    statuses: [203, 204, 301, 308, 404, 410],
    ttlMs: 60_000,
    jitter: 0,
  })
  optional(@Res({ passthrough: true }) response: Response): unknown {
    handlers.called('optional');
    return AnswersController.response(response);
  }

  @Get('failing/:status')
  @CacheApiResponse({ key: 'answers:failing' })
  failing(@Param('status') status: string): object {
    handlers.called(`failing ${status}`);
    throw new HttpException('refused', Number(status));
  }

  @Get('file')
  @CacheApiResponse({ key: 'answers:file' })
  file(): StreamableFile {
    handlers.called('file');
    return new StreamableFile(Buffer.from('file'));
  }

  @Get('ndjson')
  @CacheApiResponse({ key: 'answers:ndjson' })
  ndjson(@Res({ passthrough: true }) response: Response): void {
    handlers.called('ndjson');
    response.setHeader('Content-Type', 'application/x-ndjson');
    response.write('{"a":1}\n');
    response.end('{"b":2}\n');
  }

  @Get('library')
  @CacheApiResponse({ key: 'answers:library' })
  library(@Res() response: Response): void {
    handlers.called('library');
    response.json({ library: true });
  }

  @Sse('events')
  @CacheApiResponse({ key: 'answers:events' })
  events(): unknown {
    handlers.called('events');
    return of({ data: 'event' });
  }

  @Get('half')
  @CacheApiResponse({ key: 'answers:half' })
  async half(@Res({ passthrough: true }) response: Response): Promise<void> {
    handlers.called('half');
    await new Promise(resolve => response.write('half', resolve));
    throw new Error('the source broke');
  }

  @Get('slow')
  @CacheApiResponse({ key: 'answers:slow' })
  async slow(): Promise<object> {
    const call = handlers.called('slow');
    await handlers.wait();
    return { call };
  }

  @Get('large')
  @CacheApiResponse({ key: 'answers:large' })
  large(): string {
    handlers.called('large');
    return 'x'.repeat(60_000);
  }

  @Get('falsy/:name')
  @CacheApiResponse({ key: 'answers:falsy' })
  falsy(@Param('name') name: string): unknown {
    handlers.called(`falsy ${name}`);
    return (
      { null: null, undefined: undefined, zero: 0, empty: '', false: false } as Record<string, unknown>
    )[name];
  }

  @Get('short-lived')
  @CacheApiResponse({ key: 'answers:short-lived', ttlMs: 1, staleMs: 600_000, jitter: 0 })
  shortLived(@Res({ passthrough: true }) response: Response): unknown {
    const call = handlers.called('short-lived');
    AnswersController.response(response);
    return { call };
  }
}

const kinds = Array.from({ length: 60 }, (_, index) => ({
  id: index,
  name: `kind ${index}`,
  text: 'x'.repeat(20),
}));

/** With any input, so that it is the cache which meets what a route does not declare. */
@Controller('cats')
@AllowsAnyInput()
export class CatsController {
  @Get()
  @CacheApiResponse({ key: 'cats:list', query: ['limit', 'kind'], tags: ['cats'], jitter: 0 })
  list(@Query('limit') limit: unknown, @Query('kind') kind: unknown): object {
    return { limit: limit ?? null, kind: kind ?? null, call: handlers.called('list') };
  }

  @Get('kinds')
  @Header('X-Catalogue', 'cats')
  @CacheApiResponse({ key: 'cats:kinds', tags: ['cats'], jitter: 0 })
  kinds(): object {
    handlers.called('kinds');
    return { kinds };
  }

  @Get('dated')
  @CacheApiResponse({ key: 'cats:dated', jitter: 0 })
  dated(@Res({ passthrough: true }) response: Response): object {
    response.setHeader('Last-Modified', 'Sun, 06 Nov 1994 08:49:37 GMT');
    response.setHeader('ETag', '"v7"');
    return { call: handlers.called('dated') };
  }

  @Get('translated')
  @CacheApiResponse({
    key: 'cats:translated',
    headers: [{ name: 'Accept-Language', oneOf: ['en', 'de'] }],
    jitter: 0,
  })
  translated(@Headers('accept-language') language: string): object {
    return { language, call: handlers.called(`translated ${language}`) };
  }

  @Get('reported')
  @CacheApiResponse({ key: 'cats:reported', headers: ['x-report'], jitter: 0 })
  reported(@Headers('x-report') report: string | undefined): object {
    return { report: report ?? null, call: handlers.called('reported') };
  }

  @Get(':id')
  @CacheApiResponse({ key: 'cats:one', tags: ({ params }) => ['cats', `cat:${params['id']}`], jitter: 0 })
  one(@Param('id') id: string): object {
    return { id, call: handlers.called(`one ${id}`) };
  }

  @Post()
  @InvalidatesCache({ tags: ['cats'] })
  create(
    @Body() body: { status?: number } | undefined,
    @Res({ passthrough: true }) response: Response,
  ): object {
    const status = body?.status ?? 201;
    if (status >= 500) throw new HttpException('refused', status);
    response.status(status);
    if (status < 400) response.setHeader('Location', 'https://evil.example/api/v1/cats/1');
    return { call: handlers.called('create') };
  }

  @Delete(':id')
  @HttpCode(204)
  @InvalidatesCache({ tags: ({ params }) => [`cat:${params['id']}`] })
  remove(): void {
    handlers.called('remove');
  }
}

@Injectable()
export class DoorGuard implements CanActivate {
  static isOpen = true;
  canActivate(): boolean {
    handlers.called('guard');
    return DoorGuard.isOpen;
  }
}

@Controller('guarded')
export class GuardedController {
  @Get('method')
  @UseGuards(DoorGuard)
  @CacheApiResponse({ key: 'guarded:method' })
  method(): object {
    return { call: handlers.called('guarded') };
  }
}

@Controller('closed')
@UseGuards(DoorGuard)
export class ClosedController {
  @Get()
  @CacheApiResponse({ key: 'closed:get' })
  get(): object {
    return { call: handlers.called('closed') };
  }
}

export const allControllers = [
  PersonalController,
  AnswersController,
  CatsController,
  GuardedController,
  ClosedController,
];
