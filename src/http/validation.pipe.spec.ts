import { Type } from 'class-transformer';
import { IsArray, IsObject, IsOptional, IsString, ValidateNested } from 'class-validator';
import { RequestValidationPipe } from './validation.pipe';

class Wheel {
  @IsOptional()
  @IsString()
  tyre?: string;
}

class Car {
  @IsString()
  name!: string;

  @IsOptional()
  @IsArray()
  @ValidateNested({ each: true })
  @Type(() => Wheel)
  wheels?: Wheel[];

  /** Under names of the caller's own. */
  @IsOptional()
  @IsObject()
  notes?: Record<string, unknown>;
}

const pipe = new RequestValidationPipe();
const body = (value: unknown): Promise<unknown> => pipe.transform(value, { type: 'body', metatype: Car });

/** As they come from JSON and from a query: `__proto__` is a name like any other there. */
const withName = (name: string, value: unknown): object =>
  JSON.parse(`{${JSON.stringify(name)}:${JSON.stringify(value)}}`) as object;

/** Names that every object has, which the framework or class-transformer would leave out. */
const everyObjects = [...Object.getOwnPropertyNames(Object.prototype), 'prototype'];

describe('the check of bodies and queries', () => {
  it('lets through what the class has, and the names of a caller where he gives them', async () => {
    const car = { name: 'a', wheels: [{ tyre: 'b' }], notes: { any: { name: 1 } } };
    await expect(body(car)).resolves.toEqual(car);
  });

  it.each(['size', ...everyObjects])('refuses %s as an unknown field, at every depth', async name => {
    const places: [value: object, path: string][] = [
      [{ name: 'a', ...withName(name, 1) }, name],
      [{ name: 'a', ...withName(name, { deeper: 1 }) }, name],
      [{ name: 'a', wheels: [{}, withName(name, 1)] }, `wheels[1].${name}`],
    ];
    for (const [value, path] of places)
      await expect(body(value)).rejects.toMatchObject({ code: 'UNKNOWN_FIELD', errors: [{ path }] });
    const query = pipe.transform({ name: 'a', ...withName(name, '1') }, { type: 'query', metatype: Car });
    await expect(query).rejects.toMatchObject({ code: 'UNKNOWN_FIELD', errors: [{ path: name }] });
  });

  it.each(everyObjects)('refuses %s among names that are the caller’s too: it would be lost', async name => {
    for (const [value, path] of [
      [withName(name, 1), `notes.${name}`],
      [{ deep: [withName(name, 1)] }, `notes.deep[0].${name}`],
    ] as const)
      await expect(body({ name: 'a', notes: value })).rejects.toMatchObject({
        code: 'UNKNOWN_FIELD',
        errors: [{ path }],
      });
  });
});
