/** The OpenAPI document of a server, as far as requests are made of it and answers compared with it. */
import { z } from 'zod';

/** A JSON schema, without references. */
export interface Schema {
  readonly type?: string | readonly string[];
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly required?: readonly string[];
  readonly additionalProperties?: boolean | Schema;
  readonly items?: Schema;
  readonly anyOf?: readonly Schema[];
  readonly oneOf?: readonly Schema[];
  readonly enum?: readonly unknown[];
  readonly const?: unknown;
  readonly minimum?: number;
  readonly maximum?: number;
  readonly minLength?: number;
  readonly minItems?: number;
  readonly pattern?: string;
  readonly format?: string;
}

export interface Parameter {
  readonly name: string;
  readonly in: 'path' | 'query' | 'header';
  readonly required?: boolean;
  readonly schema: Schema;
}

export interface Operation {
  readonly method: string;
  readonly path: string;
  readonly parameters: readonly Parameter[];
  /** Media type of the body, and what it must be where that is JSON. */
  readonly body?: { readonly mediaType: string; readonly schema: Schema } | undefined;
  /** Statuses, and for each the media types with what a body of them must be. */
  readonly answers: Readonly<Record<string, Readonly<Record<string, Schema>>>>;
}

type Json = Readonly<Record<string, unknown>>;

interface Content {
  readonly content?: Readonly<Record<string, { readonly schema: Schema }>>;
}

interface DocumentedOperation {
  readonly parameters?: readonly Parameter[];
  readonly requestBody?: Content;
  readonly responses: Readonly<Record<string, Content>>;
}

/** Puts what is referred to in the place of the reference. */
function resolved(value: unknown, document: Json): unknown {
  if (Array.isArray(value)) return value.map((one) => resolved(one, document));
  if (typeof value !== 'object' || value === null) return value;
  const { $ref } = value as { $ref?: string };
  if ($ref === undefined)
    return Object.fromEntries(Object.entries(value).map(([name, one]) => [name, resolved(one, document)]));
  const found = $ref
    .slice('#/'.length)
    .split('/')
    .reduce((at: unknown, name) => (at as Json)[name], document);
  return resolved(found, document);
}

/** Every operation of a document, in its order. */
export function operationsOf(document: Json): readonly Operation[] {
  const paths = resolved(document.paths, document) as Record<string, Record<string, DocumentedOperation>>;
  return Object.entries(paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, { parameters = [], requestBody, responses }]) => {
      const [body] = Object.entries(requestBody?.content ?? {});
      const answers = Object.entries(responses).map(([status, { content = {} }]) => {
        return [
          status,
          Object.fromEntries(Object.entries(content).map(([type, { schema }]) => [type, schema])),
        ] as const;
      });
      return {
        ...{ method: method.toUpperCase(), path, parameters, answers: Object.fromEntries(answers) },
        ...(body && { body: { mediaType: body[0], schema: body[1].schema } }),
      };
    }),
  );
}

/** What is wrong with a value; `undefined` where it is as the schema says. */
export function faultOf(schema: Schema, value: unknown): string | undefined {
  const result = z.fromJSONSchema(schema as Parameters<typeof z.fromJSONSchema>[0]).safeParse(value);
  return result.success ? undefined : result.error.message;
}
