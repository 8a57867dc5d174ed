import { z } from 'zod';
import type { DeviceStep } from '../../usecases/authorization/poll-device.ts';

const deviceSchema = z.strictObject({
  kind: z.literal('device'),
  state_hash: z.string(),
  step: z.number().int().nonnegative(),
  not_before: z.number(),
  interval_seconds: z.number().positive(),
});

/** A question about a device authorization as a queue message. It names a transaction and holds nothing secret. */
export function deviceMessage({
  stateHash,
  step,
  notBefore,
  intervalSeconds,
}: DeviceStep): z.input<typeof deviceSchema> {
  return { kind: 'device', state_hash: stateHash, step, not_before: notBefore, interval_seconds: intervalSeconds };
}

/** Reads a queue message. Throws for one that is malformed: the queue parks it. */
export function readDeviceMessage(message: unknown): DeviceStep {
  const { state_hash, step, not_before, interval_seconds } = deviceSchema.parse(message);
  return { stateHash: state_hash, step, notBefore: not_before, intervalSeconds: interval_seconds };
}
