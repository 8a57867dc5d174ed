import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { Language, type Node, Parser } from 'web-tree-sitter';

export interface SyntaxFault {
  readonly line: number;
  readonly text: string;
}

/** A Bicep parser. It sees syntax only: whether a property exists, a type fits or a name is known stays open. */
export async function bicepParser(): Promise<(text: string) => Node> {
  await Parser.init();
  const grammar = fileURLToPath(import.meta.resolve('tree-sitter-bicep/tree-sitter-bicep.wasm'));
  const parser = new Parser();
  parser.setLanguage(await Language.load(await readFile(grammar)));
  return (text) => {
    const tree = parser.parse(text);
    if (tree === null) throw new Error('The Bicep parser gave up.');
    return tree.rootNode;
  };
}

/** Where a tree does not follow the grammar: what was not understood, and what is missing. */
export function syntaxFaults(root: Node): readonly SyntaxFault[] {
  if (!root.hasError) return [];
  if (root.isError || root.isMissing) {
    const text = root.isMissing ? `${root.type} is missing` : `not understood: ${root.text.slice(0, 60)}`;
    return [{ line: root.startPosition.row + 1, text }];
  }
  return root.children.flatMap((child) => (child === null ? [] : syntaxFaults(child)));
}
