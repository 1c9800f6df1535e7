import { applyDecorators } from '@nestjs/common';
import { ApiPropertyOptional } from '@nestjs/swagger';
import { Transform } from 'class-transformer';
import { IsBoolean, IsNumber, IsOptional, Max, Min } from 'class-validator';

/** An optional `true` or `false` in a query. */
export function QueryBoolean(): PropertyDecorator {
  return applyDecorators(
    IsOptional(),
    Transform(({ value }: { value: unknown }) =>
      value === 'true' ? true : value === 'false' ? false : value,
    ),
    IsBoolean({ message: 'must be true or false' }),
  );
}

/** An optional plain decimal number in a query, from `min` to `max`, which are in the documentation as well. */
export function QueryNumber(min: number, max: number): PropertyDecorator {
  const message = `must be a number from ${min} to ${max}`;
  return applyDecorators(
    ApiPropertyOptional({ type: Number, minimum: min, maximum: max }),
    IsOptional(),
    Transform(({ value }: { value: unknown }) =>
      typeof value === 'string' && /^-?\d{1,15}(\.\d{1,6})?$/.test(value) ? Number(value) : value,
    ),
    IsNumber({}, { message }),
    Min(min, { message }),
    Max(max, { message }),
  );
}
