import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Node } from 'web-tree-sitter';
import { bicepParser } from '../../scripts/bicep/parse.ts';

/** A Bicep value: objects and arrays as such, texts without their quotes, and any other expression as it is written. */
export type BicepValue = string | readonly BicepValue[] | { readonly [name: string]: BicepValue };
export type BicepObject = { readonly [name: string]: BicepValue };

export interface BicepResource {
  readonly file: string;
  readonly symbol: string;
  /** Without the version. */
  readonly type: string;
  readonly isExisting: boolean;
  readonly body: BicepObject;
}

export interface BicepModule {
  readonly symbol: string;
  readonly path: string;
  readonly params: BicepObject;
}

export interface BicepProgram {
  readonly resources: readonly BicepResource[];
  readonly modules: readonly BicepModule[];
}

/** Reads every Bicep file under a folder. */
export async function readBicep(folder: string): Promise<BicepProgram> {
  const parse = await bicepParser();
  const files = readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter((file) => file.endsWith('.bicep'));
  const roots = files.map((file) => ({ file, root: parse(readFileSync(join(folder, file), 'utf8')) }));
  return {
    resources: roots.flatMap(({ file, root }) =>
      root.descendantsOfType('resource_declaration').map((node) => resourceOf(file, present(node))),
    ),
    modules: roots.flatMap(({ root }) =>
      root.descendantsOfType('module_declaration').map((node) => moduleOf(present(node))),
    ),
  };
}

function resourceOf(file: string, node: Node): BicepResource {
  const [symbol, type] = named(node);
  return {
    file,
    symbol: present(symbol).text,
    type: unquoted(present(type)).replace(/@.*$/, ''),
    isExisting: node.children.some((child) => child?.text === 'existing'),
    body: bodyOf(node),
  };
}

function moduleOf(node: Node): BicepModule {
  const [symbol, path] = named(node);
  const { params } = bodyOf(node);
  return { symbol: present(symbol).text, path: unquoted(present(path)), params: (params ?? {}) as BicepObject };
}

/** The object of a declaration, or that of each round where it loops. */
function bodyOf(node: Node): BicepObject {
  return read(present(node.descendantsOfType('object')[0])) as BicepObject;
}

function read(node: Node): BicepValue {
  if (node.type === 'object') {
    const properties = named(node).filter(({ type }) => type === 'object_property');
    return Object.fromEntries(properties.flatMap((property) => entryOf(property)));
  }
  if (node.type === 'array') return named(node).map(read);
  if (node.type === 'string') return unquoted(node);
  return node.text;
}

function entryOf(property: Node): readonly (readonly [string, BicepValue])[] {
  const [name, value] = named(property);
  return name === undefined || value === undefined ? [] : [[unquoted(name), read(value)]];
}

function named(node: Node): readonly Node[] {
  return node.namedChildren.map(present).filter(({ type }) => type !== 'comment');
}

function unquoted(node: Node): string {
  return node.text.replace(/^'|'$/g, '');
}

function present<T>(value: T | null | undefined): T {
  if (value === null || value === undefined) throw new Error('The Bicep tree has another shape than expected.');
  return value;
}
