import type { OpenAPIObject } from '@nestjs/swagger';

// The package does not export the parts by name.
type PathItem = OpenAPIObject['paths'][string];
export type Operation = NonNullable<PathItem['get']>;
type AnyResponse = NonNullable<Operation['responses'][string]>;
export type Reference = Extract<AnyResponse, { $ref: string }>;
export type ResponseObject = Exclude<AnyResponse, Reference>;
export type Headers = NonNullable<ResponseObject['headers']>;
export type Content = NonNullable<ResponseObject['content']>;
export type Schemas = NonNullable<NonNullable<OpenAPIObject['components']>['schemas']>;
export type Schema = Exclude<Schemas[string], Reference>;

const methods = ['get', 'put', 'post', 'delete', 'options', 'head', 'patch', 'trace'] as const;

type Method = (typeof methods)[number];

/** Every operation of a document, with the method and the path that it stands at. */
export function operationsOf({
  paths,
}: OpenAPIObject): { method: Method; path: string; operation: Operation }[] {
  return Object.entries(paths).flatMap(([path, item]) =>
    methods.flatMap(method => (item[method] ? [{ method, path, operation: item[method] }] : [])),
  );
}
