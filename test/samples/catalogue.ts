import {
  Body,
  Controller,
  Delete,
  Get,
  HttpCode,
  Injectable,
  Module,
  NotFoundException,
  Param,
  Post,
  Query,
  Req,
  UnauthorizedException,
  UseGuards,
  type CanActivate,
  type ExecutionContext,
} from '@nestjs/common';
import type { Request } from 'express';
import { CacheApiResponse, CacheModule, InvalidatesCache, principalTag, TieredCache } from '../../src/cache';

/*
 * The application that docs/caching-routes.md quotes. Each part between `// #region name` and `// #endregion` stands there
 * word for word; test/samples/caching-routes.spec.ts compares them and runs the whole.
 */

export interface Book {
  id: string;
  title: string;
}

/** The source of truth. */
@Injectable()
export class BookStore {
  reads = 0;
  readonly books = new Map<string, Book>([
    ['1', { id: '1', title: 'Moby-Dick' }],
    ['2', { id: '2', title: 'Middlemarch' }],
  ]);
  readonly wishes = new Map<string, string[]>();

  list(limit: number): Book[] {
    this.reads += 1;
    return [...this.books.values()].slice(0, limit);
  }

  one(id: string): Book {
    this.reads += 1;
    const book = this.books.get(id);
    if (!book) throw new NotFoundException();
    return book;
  }

  wishesOf(user: string): string[] {
    this.reads += 1;
    return this.wishes.get(user) ?? [];
  }
}

// #region first-route
@Controller('books')
export class BooksController {
  constructor(private readonly store: BookStore) {}

  @Get()
  @CacheApiResponse({ key: 'books:list', ttlMs: 30_000, tags: ['books'], query: ['limit'] })
  list(@Query('limit') limit = '10'): Book[] {
    return this.store.list(Number(limit));
  }

  @Get(':id')
  @CacheApiResponse({
    key: 'books:one',
    ttlMs: 30_000,
    tags: ({ params }) => ['books', `book:${params['id']}`],
  })
  one(@Param('id') id: string): Book {
    return this.store.one(id);
  }
}
// #endregion

// #region guard
type SignedRequest = Request & { user?: { id: string } };

@Injectable()
export class TokenGuard implements CanActivate {
  canActivate(context: ExecutionContext): boolean {
    const request = context.switchToHttp().getRequest<SignedRequest>();
    const user = /^Bearer token-of-(\w+)$/.exec(request.headers.authorization ?? '')?.[1];
    if (user === undefined) throw new UnauthorizedException();
    request.user = { id: user };
    return true;
  }
}
// #endregion

// #region per-user-route
@Controller('wishes')
@UseGuards(TokenGuard)
export class WishesController {
  constructor(
    private readonly store: BookStore,
    private readonly cache: TieredCache,
  ) {}

  @Get()
  @CacheApiResponse({ key: 'wishes:mine', ttlMs: 30_000, principal: 'user' })
  mine(@Req() request: SignedRequest): object {
    return { user: request.user!.id, wishes: this.store.wishesOf(request.user!.id) };
  }

  @Post(':book')
  @HttpCode(204)
  async add(@Req() request: SignedRequest, @Param('book') book: string): Promise<void> {
    const user = request.user!.id;
    this.store.wishes.set(user, [...(this.store.wishes.get(user) ?? []), book]);
    await this.cache.invalidateTags([principalTag('user', user)]);
  }
}
// #endregion

// #region write
@Controller('books')
export class BookWritesController {
  constructor(private readonly store: BookStore) {}

  @Post()
  @InvalidatesCache({ tags: ['books'] })
  add(@Body() book: Book): Book {
    this.store.books.set(book.id, book);
    return book;
  }

  @Delete(':id')
  @HttpCode(204)
  @InvalidatesCache({ tags: ({ params }) => ['books', `book:${params['id']}`] })
  remove(@Param('id') id: string): void {
    this.store.books.delete(id);
  }
}
// #endregion

// #region module
@Module({
  imports: [
    CacheModule.forRoot({
      principal: {
        principalOf: request => {
          const { user } = request as SignedRequest;
          return user && { user: user.id };
        },
      },
    }),
  ],
  controllers: [BooksController, BookWritesController, WishesController],
  providers: [BookStore],
})
export class CatalogueModule {}
// #endregion
