import type { AppRegistration, RegisteredFunction } from './core-module.ts';
import type { RpcBindingInfo } from './core-types.ts';

/** The library's name for the binding of a handler's return value. */
export const returnBindingName = '$return';

export type TriggerType = 'http' | 'timer' | 'queue';

/** A function with its trigger found and its settings resolved. */
export interface AppFunction {
  readonly name: string;
  readonly registered: RegisteredFunction;
  readonly trigger: TriggerType;
  readonly triggerBinding: string;
  readonly binding: RpcBindingInfo;
}

const triggerTypes: Readonly<Record<string, TriggerType>> = {
  httptrigger: 'http',
  timertrigger: 'timer',
  queuetrigger: 'queue',
};

const outputTypes: readonly string[] = ['http', 'queue'];

/**
 * The functions of a loaded app in the order in which the real host tries their routes: alphabetically by name.
 * Throws when there are none, and when one uses a binding that this host does not have.
 */
export function listAppFunctions(app: AppRegistration): readonly AppFunction[] {
  const functions = [...app.functions.values()].map(describeFunction);
  if (functions.length === 0) {
    throw new Error(
      'The app registered no functions. Its modules may have been loaded before, in which case importing them again ' +
        'registers nothing, or it may have called "app" before the host was started.',
    );
  }
  return functions.sort((left, right) => compareText(left.name.toLowerCase(), right.name.toLowerCase()));
}

/** Replaces each `%NAME%` by the setting of that name. Throws when a setting is missing or empty. */
export function resolveSettings(
  text: string,
  environment: Readonly<Record<string, string | undefined>>,
  where: string,
): string {
  return text.replace(/%([^%]+)%/g, (_, name: string) => {
    const value = environment[name];
    if (!value) {
      throw new Error(`${where} names the setting ${name}, which is not set.`);
    }
    return value;
  });
}

/** A text property of a binding. Throws when it is missing. */
export function bindingText(binding: RpcBindingInfo, property: string, where: string): string {
  const value = binding[property];
  if (typeof value !== 'string' || value === '') {
    throw new Error(`${where} has no ${property}.`);
  }
  return value;
}

function describeFunction(registered: RegisteredFunction): AppFunction {
  const { name, bindings } = registered.metadata;
  if (!/^[a-z][a-z0-9_-]{0,127}$/i.test(name)) {
    throw new Error(`"${name}" is not a name for a function: letters, digits, "_" and "-", a letter first.`);
  }
  let found: AppFunction | undefined;
  for (const [bindingName, binding] of Object.entries(bindings)) {
    const type = String(binding.type).toLowerCase();
    if (type.endsWith('trigger')) {
      const trigger = triggerTypes[type];
      if (trigger === undefined) {
        throw new Error(`Function "${name}" has a trigger that this host does not run: ${binding.type}.`);
      }
      found = { name, registered, trigger, triggerBinding: bindingName, binding };
    } else if (binding.direction !== 'out' || !outputTypes.includes(type)) {
      throw new Error(`Function "${name}" has a binding that this host does not carry out: ${binding.type}.`);
    }
  }
  if (found === undefined) {
    throw new Error(`Function "${name}" has no trigger.`);
  }
  return found;
}

function compareText(left: string, right: string): number {
  if (left === right) {
    return 0;
  }
  return left < right ? -1 : 1;
}
