import { readdir } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { cruise, type ICruiseOptions, type ICruiseResult, type IFlattenedRuleSet } from 'dependency-cruiser';

export interface LayerReport {
  /** Each as `rule: from → to`. */
  readonly violations: readonly string[];
  /** Source files that dependency-cruiser did not look at: none, or else the report means nothing. */
  readonly unseen: readonly string[];
  readonly seenCount: number;
}

type Configuration = IFlattenedRuleSet & { readonly options: ICruiseOptions };

/** The rules as they stand in `.dependency-cruiser.cjs`, where dependency-cruiser's own command finds them too. */
export function layerRules(): Configuration {
  return createRequire(import.meta.url)('../../.dependency-cruiser.cjs');
}

/** Judges the imports of all of `src` in a folder by the layer rules. */
export async function cruiseLayers(baseDir: string): Promise<LayerReport> {
  const { options, ...ruleSet } = layerRules();
  const { output } = await cruise(['src'], { ...options, ruleSet, validate: true, baseDir });
  const result = output as ICruiseResult;
  const seen = new Set(result.modules.map((module) => module.source));
  const files = await sourceFiles(baseDir);
  return {
    violations: result.summary.violations.map(({ rule, from, to }) => `${rule.name}: ${from} → ${to}`),
    unseen: files.filter((file) => !seen.has(file)),
    seenCount: files.filter((file) => seen.has(file)).length,
  };
}

async function sourceFiles(baseDir: string): Promise<readonly string[]> {
  const entries = await readdir(join(baseDir, 'src'), { recursive: true });
  return entries.filter((entry) => /(?<!\.d)\.ts$/.test(entry)).map((entry) => `src/${entry.replaceAll('\\', '/')}`);
}
