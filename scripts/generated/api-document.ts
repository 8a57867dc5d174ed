import { openApiDocument } from '../../src/functions/openapi.ts';
import { routeTable } from '../../src/functions/route-table.ts';

/** What the scripts read of a parameter. */
export interface ApiParameter {
  readonly name: string;
  readonly in: 'path' | 'query' | 'header';
  readonly required?: boolean;
  readonly description?: string;
  readonly example?: unknown;
  readonly schema: { readonly example?: unknown };
}

/** What the scripts read of an operation. */
export interface ApiOperation {
  readonly operationId: string;
  readonly summary: string;
  readonly description?: string;
  readonly tags: readonly [string];
  /** Empty: public. */
  readonly security?: readonly unknown[];
  readonly parameters?: readonly ApiParameter[];
  readonly requestBody?: { readonly content: { readonly 'application/json': { readonly example?: unknown } } };
}

export interface ApiDocument {
  readonly info: { readonly version: string };
  readonly tags: readonly { readonly name: string; readonly description: string }[];
  readonly paths: Readonly<Record<string, Readonly<Record<string, ApiOperation>>>>;
}

/** The document that is committed: of the embedded host on its usual port. */
export async function apiDocument(): Promise<ApiDocument> {
  return (await openApiDocument(routeTable, 'http://127.0.0.1:7071/api')) as ApiDocument;
}
